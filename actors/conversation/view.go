package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// View is what is shown of a conversation, to one user where one asked.
type View struct {
	Conversation string
	Generation   uint64
	Version      uint64
	LastSeq      uint64
	LastSender   string    // empty for a user who may not see the last message
	Preview      []byte    // likewise
	LastActivity time.Time // of the newest message that was not silent
	ExpiresAt    time.Time // zero: never
	Members      uint64
	Held         bool
	Peer         string          // the other one, where exactly two take part and a user asked
	Membership   *MembershipView // the asking user's
}

// MembershipView is what is shown of one user's state in one conversation.
type MembershipView struct {
	User         string
	VisibleFrom  uint64
	VisibleTo    uint64 // 0: open
	ReadSeq      uint64
	DeliveredSeq uint64
	ClearedSeq   uint64
	Unread       uint64 // visible, after read and cleared, not own, not silent, not retracted; exact up to 1,000
	Mentions     uint32 // among those; exact to 64
	MarkedUnread bool
	Pin          uint64
	MutedUntil   time.Time
	Hide         persistence.Hide
	Tags         uint64
	Custom       []byte
	Draft        *persistence.Draft // in View alone: nobody else is shown it
	ReadAt       time.Time
}

// Rows is what a reader found of a conversation, decoded.
type Rows struct {
	Head       *persistence.Head
	Tail       *persistence.Tail       // nil: as yet none
	Membership *persistence.Membership // of the asking user; nil: none
	Roster     []string                // the members, where they are few
}

// NeedsTail reports whether what the asking user is shown depends on the tail: whether there is anything that they have not read.
func (r Rows) NeedsTail() bool {
	if r.Membership == nil {
		return false
	}
	from, last := span(r.Head, r.Membership)
	return from < last
}

// ChangedSince reports whether anything that the asking user is shown may have changed at a time or later.
func (r Rows) ChangedSince(at persistence.Instant) bool {
	return r.Head.Changed >= at || (r.Membership != nil && r.Membership.Changed >= at)
}

// Peer returns the other member where exactly two take part, the asking user being one of them, and the members are few; else "".
func (r Rows) Peer(user string) string {
	if r.Head.Members != 2 || len(r.Roster) != 2 || r.Membership == nil || r.Membership.Left {
		return ""
	}
	if r.Roster[0] == user {
		return r.Roster[1]
	}
	return r.Roster[0]
}

// Decode reads a conversation's rows as of a time: the values under its head's, its tail's and one user's membership key, nil where there is none. It returns
// false where there is no conversation at that time: a generation that is over is not shown, whether the reaper has been there or not.
func Decode(head, tail, membership []byte, now persistence.Instant) (Rows, bool, error) {
	var r Rows
	if head == nil {
		return r, false, nil
	}
	var err error
	if r.Head, _, err = persistence.DecodeHead(head); err != nil || r.Head == nil || now >= r.Head.Deadline {
		return Rows{}, false, err
	}
	if err := r.AddTail(tail); err != nil {
		return Rows{}, false, err
	}
	if err := r.SetMembership(membership); err != nil {
		return Rows{}, false, err
	}
	return r, true, nil
}

// Forget takes the membership away that an order to forget the asking user means, and reports whether there is one. Zero stands for no order.
func (r *Rows) Forget(order persistence.Instant) bool {
	if order == 0 || !means(order, r.Membership) {
		return false
	}
	r.Membership = nil
	return true
}

// SetMembership takes in the value under a user's membership key, nil where there is none, in place of the one before.
func (r *Rows) SetMembership(value []byte) (err error) {
	r.Membership = nil
	if value == nil {
		return nil
	}
	m, err := persistence.DecodeMembership(value)
	if err != nil || m.Generation != r.Head.Generation {
		return err
	}
	m.Follow(r.Head)
	r.Membership = m
	return nil
}

// AddTail takes in the value under the tail's key, nil where there is none.
func (r *Rows) AddTail(value []byte) (err error) {
	if value != nil {
		if r.Tail, err = persistence.DecodeTail(value); err != nil {
			return err
		}
	}
	if r.Tail == nil || r.Tail.Generation != r.Head.Generation {
		r.Tail = &persistence.Tail{Generation: r.Head.Generation, Last: r.Head.LastSeq}
	}
	return nil
}

// AddRoster takes in the value under the roster's key, nil where there is none.
func (r *Rows) AddRoster(value []byte) error {
	if value == nil {
		return nil
	}
	roster, err := persistence.DecodeRoster(value)
	if err == nil && roster.Generation == r.Head.Generation {
		r.Roster = roster.Users
	}
	return err
}

// Ordered is what the user's list sorts the conversation by: its last activity, or what that was when the user left.
func (r Rows) Ordered() persistence.Instant {
	if m := r.Membership; m != nil && m.Left && m.Frozen != 0 {
		return m.Frozen
	}
	return r.Head.Ordered
}

// Listed reports whether the conversation stands in the user's list, and if so whether only among the hidden ones.
func (r Rows) Listed() (listed, hidden bool) {
	m := r.Membership
	if m == nil || (m.Left && !m.Keep) {
		return false, false
	}
	return true, hiding(r.Head, m) != persistence.HideNone
}

// hiding is the one that is in force: one until the next message ends with that message. Somebody who left sees no messages after that, so that those
// end nothing for them.
func hiding(h *persistence.Head, m *persistence.Membership) persistence.Hide {
	loud := h.LoudSeq
	if m.Left {
		loud = min(loud, m.VisibleTo)
	}
	if m.Hide == persistence.HideUntilMessage && loud > m.HiddenAt {
		return persistence.HideNone
	}
	return m.Hide
}

// View returns what is shown to the user; to nobody in particular, which is everything, where user is "".
func (r Rows) View(name, user string) View {
	h := r.Head
	v := View{
		Conversation: name,
		Generation:   uint64(h.Generation),
		Version:      h.Version,
		LastSeq:      h.LastSeq,
		LastActivity: r.Ordered().Time(),
		ExpiresAt:    h.Deadline.Time(),
		Members:      h.Members,
		Held:         h.Held,
	}
	if user == "" || sees(r.Membership, h.LastSeq) {
		v.LastSender, v.Preview = h.LastSender, h.Preview
	}
	if user != "" && r.Membership != nil {
		v.Membership = viewMembership(user, h, r.Tail, r.Membership)
		if draft := r.Membership.Draft; draft != nil && len(draft.Text) > 0 {
			v.Membership.Draft = draft
		}
		if r.Membership.Left {
			v.LastSeq = min(v.LastSeq, r.Membership.VisibleTo)
		}
	}
	return v
}

// MemberView returns what is shown of the membership that was asked for; nil where there is none.
func (r Rows) MemberView(user string) *MembershipView {
	if r.Membership == nil {
		return nil
	}
	return viewMembership(user, r.Head, r.Tail, r.Membership)
}

// sees reports whether a member may see a message.
func sees(m *persistence.Membership, seq uint64) bool {
	return m != nil && seq >= m.VisibleFrom && seq > m.ClearedSeq && (!m.Left || seq <= m.VisibleTo)
}

func viewMembership(user string, h *persistence.Head, t *persistence.Tail, m *persistence.Membership) *MembershipView {
	v := &MembershipView{
		User:         user,
		VisibleFrom:  m.VisibleFrom,
		ReadSeq:      m.ReadSeq,
		DeliveredSeq: max(m.DeliveredSeq, m.ReadSeq), // what was read was delivered
		ClearedSeq:   m.ClearedSeq,
		Unread:       unread(user, h, t, m),
		Mentions:     mentions(user, h, t, m),
		MarkedUnread: m.MarkedUnread,
		Pin:          m.Pin,
		MutedUntil:   m.MutedUntil.Time(),
		Hide:         hiding(h, m),
		Tags:         m.Tags,
		Custom:       m.Custom,
		ReadAt:       m.ReadAt.Time(),
	}
	if m.Left {
		v.VisibleTo = m.VisibleTo
	}
	return v
}
