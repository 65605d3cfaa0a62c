package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// span is the messages of a conversation that a user has yet to read: those after `from`, up to `last`.
func span(h *persistence.Head, m *persistence.Membership) (from, last uint64) {
	last = h.LastSeq
	if m.Left {
		last = min(last, m.VisibleTo)
	}
	from = max(m.ReadSeq, m.ClearedSeq)
	if m.VisibleFrom > 0 {
		from = max(from, m.VisibleFrom-1)
	}
	return min(from, last), last
}

// unread counts the messages that a user has yet to read and that count for them: not their own, not silent, not retracted. It is derived from numbers that only
// merge, so it can neither drift nor be negative. What is older than the tail counts as numbered: the count is exact while the span is within the tail
// (and the user's own messages within its senders).
func unread(user string, h *persistence.Head, t *persistence.Tail, m *persistence.Membership) uint64 {
	from, last := span(h, m)
	n := last - from
	within(t, from, last, func(seq uint64) {
		if t.Uncounted.Has(seq) || isOwn(t, seq, user) {
			n--
		}
	})
	return n
}

// mentions counts the messages among the unread ones that name the user, or everybody.
func mentions(user string, h *persistence.Head, t *persistence.Tail, m *persistence.Membership) uint32 {
	from, last := span(h, m)
	n := uint32(0)
	for _, seq := range m.Mentions {
		if seq > from && seq <= last && !(inTail(t, seq) && t.Uncounted.Has(seq)) {
			n++
		}
	}
	if t.Everyone == (persistence.Marks{}) {
		return n
	}
	within(t, from, last, func(seq uint64) {
		if !t.Everyone.Has(seq) || t.Uncounted.Has(seq) || isOwn(t, seq, user) {
			return
		}
		if _, counted := slices.BinarySearch(m.Mentions, seq); !counted {
			n++
		}
	})
	return n
}

// within calls f with the messages after from, up to last, that are in the tail.
func within(t *persistence.Tail, from, last uint64, f func(seq uint64)) {
	if t.Last > persistence.TailMessages {
		from = max(from, t.Last-persistence.TailMessages)
	}
	for seq := from + 1; seq <= last; seq++ {
		f(seq)
	}
}

func inTail(t *persistence.Tail, seq uint64) bool {
	return seq <= t.Last && t.Last-seq < persistence.TailMessages
}

func isOwn(t *persistence.Tail, seq uint64, user string) bool {
	return t.Last-seq < persistence.TailSenders && t.Senders.Of(seq) == user
}
