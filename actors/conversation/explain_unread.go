package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// UnreadSum is how a user's unread count comes about. It sums up:
//
//	Unread = Last − max(Read, Cleared, Before) − Uncounted − Own
//
// where the maximum counts as Last if it is higher: reads may run ahead of posts.
type UnreadSum struct {
	Last      uint64 // the last message of which the user may see anything: the conversation's, or that when they left
	Read      uint64 // read up to
	Cleared   uint64 // cleared up to
	Before    uint64 // the last message from before the first that the user may see
	From      uint64 // the highest of the three, at most Last
	Uncounted uint64 // among the messages after From, those known to be silent or retracted, which are not told apart
	Own       uint64 // among the others, those known to be the user's own
	Unread    uint64

	// Older is how many of the messages after From are older than what is known of single ones (the last 1,024), and count as numbered; SendersUnknown, how many are older than
	// those of which the sender is known (the last 256), and count though they may be the user's own. The sum is exact where both are 0.
	Older, SendersUnknown uint64

	Marked    bool   // the user marked the conversation unread, whatever the count
	ReadAhead uint64 // how far Read is above the conversation's last message; 0: it is not

	Mentions Mentions
}

// Exact reports whether the sum stands for each message one by one.
func (u *UnreadSum) Exact() bool { return u.Older == 0 && u.SendersUnknown == 0 }

// Mentions is what the mentions among the unread messages are, ascending.
type Mentions struct {
	Named    []uint64 // that name the user
	Everyone []uint64 // that name everybody, and not the user, among the last 1,024
	// Remembered is how many messages that name the user are known, read or not; at most 64: an older one is forgotten for a newer.
	Remembered int
}

// UnreadSum returns how the asking user's unread count comes about; false where they have no membership. The tail must have been added where NeedsTail says so.
func (r Rows) UnreadSum(user string) (UnreadSum, bool) {
	m := r.Membership
	if m == nil {
		return UnreadSum{}, false
	}
	t := r.Tail
	if t == nil {
		t = &persistence.Tail{Generation: r.Head.Generation, Last: r.Head.LastSeq}
	}
	u := UnreadSum{Read: m.ReadSeq, Cleared: m.ClearedSeq, Marked: m.MarkedUnread}
	u.From, u.Last = span(r.Head, m)
	if m.VisibleFrom > 0 {
		u.Before = m.VisibleFrom - 1
	}
	if m.ReadSeq > r.Head.LastSeq {
		u.ReadAhead = m.ReadSeq - r.Head.LastSeq
	}
	within(t, u.From, u.Last, func(seq uint64) {
		switch {
		case t.Uncounted.Has(seq):
			u.Uncounted++
		case isOwn(t, seq, user):
			u.Own++
		}
	})
	u.Unread = u.Last - u.From - u.Uncounted - u.Own
	u.Older = olderThan(t, persistence.TailMessages, u.From, u.Last)
	u.SendersUnknown = olderThan(t, persistence.TailSenders, u.From, u.Last)
	u.Mentions = mentionsOf(user, t, m, u.From, u.Last)
	return u, true
}

// olderThan counts the messages after from, up to last, that are not among the tail's latest n.
func olderThan(t *persistence.Tail, n, from, last uint64) uint64 {
	if t.Last <= n || from >= t.Last-n {
		return 0
	}
	return min(last, t.Last-n) - from
}

func mentionsOf(user string, t *persistence.Tail, m *persistence.Membership, from, last uint64) Mentions {
	named := Mentions{Remembered: len(m.Mentions)}
	for _, seq := range m.Mentions {
		if seq > from && seq <= last && !(inTail(t, seq) && t.Uncounted.Has(seq)) {
			named.Named = append(named.Named, seq)
		}
	}
	within(t, from, last, func(seq uint64) {
		if _, counted := slices.BinarySearch(m.Mentions, seq); !counted && t.Everyone.Has(seq) && !t.Uncounted.Has(seq) && !isOwn(t, seq, user) {
			named.Everyone = append(named.Everyone, seq)
		}
	})
	return named
}

// HideInForce is the hiding that is in force for the asking user: one until the next message ends with that message. It is HideNone where they have no membership.
func (r Rows) HideInForce() persistence.Hide {
	if r.Membership == nil {
		return persistence.HideNone
	}
	return hiding(r.Head, r.Membership)
}
