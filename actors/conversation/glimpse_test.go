package conversation_test

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// glimpse is all that can be seen of a conversation by one user.
type glimpse struct {
	Place                    place
	LastSeq, Members         uint64
	Active, Over             persistence.Instant
	Sender                   string // of the last message, where the user may see it
	In                       bool
	From, To, Read, Cleared  uint64
	Unread, Mentions, Hidden uint64
}

// glimpse returns what a reader of the rows sees.
func (w *world) glimpse(user string) glimpse {
	w.Helper()
	rows, ok := w.shown(user)
	if !ok {
		return glimpse{Place: absent}
	}
	v := rows.View(name, user)
	g := glimpse{
		Place: w.place(user), LastSeq: v.LastSeq, Members: v.Members,
		Active: persistence.InstantOf(v.LastActivity), Over: persistence.InstantOf(v.ExpiresAt), Sender: v.LastSender,
	}
	if m := v.Membership; m != nil {
		g.In = !rows.Membership.Left
		g.From, g.To, g.Read, g.Cleared = m.VisibleFrom, m.VisibleTo, m.ReadSeq, m.ClearedSeq
		g.Unread, g.Mentions, g.Hidden = m.Unread, uint64(m.Mentions), uint64(m.Hide)
	}
	return g
}

// glimpse returns what there should be to be seen, counted message by message.
func (m *model) glimpse(user string, now persistence.Instant) glimpse {
	if !m.alive(now) {
		return glimpse{Place: absent}
	}
	l := m.life
	g := glimpse{Place: absent, LastSeq: l.last(), Members: l.members(), Active: l.active(), Over: l.over}
	p := l.people[user]
	if p == nil {
		return g
	}
	highest := func(seqs []uint64) uint64 { return slices.Max(append([]uint64{0}, seqs...)) }
	g.In, g.From, g.Read, g.Cleared = p.in, slices.Min(p.entered), highest(p.read), highest(p.cleared)
	to, loud := l.last(), l.loudest()
	if !p.in {
		to, loud = p.left, min(loud, p.left)
		g.To, g.LastSeq = p.left, p.left
	}
	if p.in || p.keep {
		g.Place = listed
	}
	if len(p.hid) > 0 && loud <= highest(p.hid) {
		g.Hidden = uint64(persistence.HideUntilMessage)
		if g.Place == listed {
			g.Place = hidden
		}
	}
	for seq := uint64(1); seq <= to; seq++ {
		if seq < g.From || seq <= g.Cleared {
			continue
		}
		u, heard := l.said[seq]
		if seq == l.last() && heard {
			g.Sender = u.Sender
		}
		if seq <= g.Read || heard && (u.Silent || u.Sender == user) {
			continue
		}
		g.Unread++
		if heard && u.MentionAll || slices.Contains(p.at, seq) {
			g.Mentions++
		}
	}
	return g
}
