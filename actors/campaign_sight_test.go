package actors_test

import (
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// sight is all that a reader sees of a conversation, or of one membership, in a form that == compares.
type sight struct {
	Found                       bool
	Generation, Version         uint64
	LastSeq, Members            uint64
	LastSender, Preview, Peer   string
	LastActivity, ExpiresAt     int64
	Held                        bool
	Member                      bool
	User                        string
	VisibleFrom, VisibleTo      uint64
	Read, Delivered, Cleared    uint64
	Unread, Mentions, Pin, Tags uint64
	MarkedUnread                bool
	MutedUntil, ReadAt          int64
	Hide                        persistence.Hide
	Custom                      string
	Draft                       string
	DraftAt                     int64
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// seen is what the engine shows; nil: nothing.
func seen(v *conversation.View) sight {
	if v == nil {
		return sight{}
	}
	s := sight{
		Found: true, Generation: v.Generation, Version: v.Version, LastSeq: v.LastSeq, Members: v.Members, LastSender: v.LastSender, Preview: string(v.Preview),
		Peer: v.Peer, LastActivity: micros(v.LastActivity), ExpiresAt: micros(v.ExpiresAt), Held: v.Held,
	}
	s.add(v.Membership)
	return s
}

func (s *sight) add(m *conversation.MembershipView) {
	if m == nil {
		return
	}
	s.Member, s.User, s.VisibleFrom, s.VisibleTo = true, m.User, m.VisibleFrom, m.VisibleTo
	s.Read, s.Delivered, s.Cleared = m.ReadSeq, m.DeliveredSeq, m.ClearedSeq
	s.Unread, s.Mentions, s.MarkedUnread, s.Pin, s.Tags = m.Unread, uint64(m.Mentions), m.MarkedUnread, m.Pin, m.Tags
	s.MutedUntil, s.ReadAt, s.Hide, s.Custom = micros(m.MutedUntil), micros(m.ReadAt), m.Hide, string(m.Custom)
	if m.Draft != nil {
		s.Draft, s.DraftAt = string(m.Draft.Text), int64(m.Draft.EditedAt)
	}
}

// sight is what the model says that a user is shown; "": nobody in particular.
func (a *account) sight(user string, now int64) sight {
	if !a.alive(now) {
		return sight{}
	}
	f := a.face()
	s := sight{
		Found: true, Generation: a.generation, Version: a.version, LastSeq: f.last, Members: uint64(f.members), LastActivity: f.ordered, Held: f.held,
	}
	if deadline := a.deadline(); deadline != int64(persistence.Never) {
		s.ExpiresAt = deadline
	}
	m, ok := a.members[user]
	if user == "" || (ok && f.last >= m.from && f.last > m.reading().cleared && (!m.left || f.last <= m.leftAt)) {
		s.LastSender, s.Preview = f.sender, f.preview
	}
	if !ok {
		return s
	}
	if m.left {
		s.LastSeq, s.LastActivity = min(f.last, m.leftAt), m.frozen
	} else if f.members == 2 {
		for other, o := range a.members {
			if other != user && !o.left {
				s.Peer = other
			}
		}
	}
	s.addMember(a.membership(user))
	if m.set.draft && m.set.text != "" {
		s.Draft, s.DraftAt = m.set.text, m.set.edits
	}
	return s
}

// membership is a user's part alone, as lists of members and replies have it.
func (a *account) membership(user string) (s sight) {
	m, ok := a.members[user]
	if !ok {
		return s
	}
	r := m.reading()
	s.Member, s.User, s.VisibleFrom = true, user, m.from
	if m.left {
		s.VisibleTo = m.leftAt
	}
	s.Read, s.Delivered, s.Cleared, s.MarkedUnread, s.ReadAt = r.read, r.delivered, r.cleared, r.marked, r.at
	s.Unread, s.Mentions = a.count(user)
	s.Pin, s.Tags, s.MutedUntil, s.Custom, s.Hide = m.set.pin, m.set.tags, m.set.muted, m.set.custom, a.hidden(user)
	return s
}

// addMember takes over the part of a member.
func (s *sight) addMember(m sight) {
	m.Found, m.Generation, m.Version, m.LastSeq, m.Members, m.LastSender = s.Found, s.Generation, s.Version, s.LastSeq, s.Members, s.LastSender
	m.Preview, m.Peer, m.LastActivity, m.ExpiresAt, m.Held = s.Preview, s.Peer, s.LastActivity, s.ExpiresAt, s.Held
	*s = m
}

// listed is whether the user's list has the conversation, and whether among the hidden ones.
func (a *account) listed(user string, now int64) (listed, hidden bool) {
	if !a.alive(now) {
		return false, false
	}
	m, ok := a.members[user]
	return ok && (!m.left || m.keep), a.hidden(user) != persistence.HideNone
}
