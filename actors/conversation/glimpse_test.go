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
	Sender, Preview          string // of the last message, where the user may see it
	Held                     bool
	In                       bool
	From, To, Read, Cleared  uint64
	Unread, Mentions, Hidden uint64
	Delivered                uint64
	Marked                   bool
	Settings                 settings
	Draft                    string
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
		Preview: string(v.Preview), Held: v.Held,
	}
	if m := v.Membership; m != nil {
		g.In = !rows.Membership.Left
		g.From, g.To, g.Read, g.Cleared = m.VisibleFrom, m.VisibleTo, m.ReadSeq, m.ClearedSeq
		g.Unread, g.Mentions, g.Hidden = m.Unread, uint64(m.Mentions), uint64(m.Hide)
		g.Delivered, g.Marked = m.DeliveredSeq, m.MarkedUnread
		g.Settings = settings{pin: m.Pin, tags: m.Tags, muted: persistence.InstantOf(m.MutedUntil), custom: string(m.Custom)}
		if m.Draft != nil {
			g.Draft = string(m.Draft.Text)
		}
	}
	return g
}

// glimpse returns what there should be to be seen, counted message by message.
func (m *model) glimpse(user string, now persistence.Instant) glimpse {
	if !m.alive(now) {
		return glimpse{Place: absent}
	}
	l := m.life
	g := glimpse{Place: absent, LastSeq: l.last(), Members: l.members(), Active: l.active(), Over: l.over, Held: l.held}
	if m.keeps {
		g.Over = 0 // nobody can say when it will have been read
	}
	if l.held {
		g.Over = 0 // as a view says "never"
	}
	p := l.people[user]
	if p == nil {
		return g
	}
	highest := func(seqs []uint64) uint64 { return slices.Max(append([]uint64{0}, seqs...)) }
	g.In, g.From, g.Read, g.Cleared = p.in, slices.Min(p.entered), highest(p.read), highest(p.cleared)
	g.Delivered, g.Marked, g.Settings, g.Draft = highest(p.delivered), p.marked, p.settings, p.draft()
	to := l.last()
	if !p.in {
		to = p.left
		g.To, g.LastSeq, g.Active = p.left, p.left, p.frozen
	}
	if p.in || p.keep {
		g.Place = listed
	}
	if g.Hidden = uint64(l.hiding(p)); g.Hidden != 0 && g.Place == listed {
		g.Place = hidden
	}
	for seq := uint64(1); seq <= to; seq++ {
		if seq < g.From || seq <= g.Cleared {
			continue
		}
		u, heard := l.said[seq]
		if seq == l.last() && heard {
			g.Sender, g.Preview = u.Sender, l.preview(u)
		}
		if seq <= g.Read || l.retracted[seq] || heard && (u.Silent || u.Sender == user) {
			continue
		}
		g.Unread++
		if heard && u.MentionAll || slices.Contains(p.at, seq) {
			g.Mentions++
		}
	}
	return g
}

func (l *life) preview(u utterance) string {
	if amended, ok := l.amended[u.Seq]; ok {
		return amended
	}
	return string(u.Preview)
}

// pins counts those who take part and have it pinned.
func (l *life) pins() (n uint64) {
	for _, p := range l.people {
		if p.in && p.pin != 0 {
			n++
		}
	}
	return n
}
