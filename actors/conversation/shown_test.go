package conversation_test

import (
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// shown is what a reader makes of the rows for a user; false where there is no conversation.
func (w *world) shown(user string) (conversation.Rows, bool) {
	w.Helper()
	rows, ok, err := conversation.Decode(w.rows[headKey], w.rows[tailKey], w.rows[membershipKey(user)], w.now)
	if err != nil {
		w.Fatalf("decode for %s: %v", user, err)
	}
	return rows, ok
}

// view is what the user is shown of a conversation that must be there.
func (w *world) view(user string) conversation.View {
	w.Helper()
	rows, ok := w.shown(user)
	if !ok {
		w.Fatalf("there is no conversation")
	}
	return rows.View(name, user)
}

// member is the user's own view, which must be there. Where the state has it in memory, it must be the same.
func (w *world) member(user string) *conversation.MembershipView {
	w.Helper()
	rows, _ := w.shown(user)
	m := rows.MemberView(user)
	if m == nil {
		w.Fatalf("%s is no member", user)
		return nil
	}
	if resident := w.state.MembershipView(user); resident != nil {
		if diff := cmp.Diff(m, resident); diff != "" {
			w.Fatalf("in memory %s's membership is another than in the rows (-rows +memory):\n%s", user, diff)
		}
	}
	return m
}

// unread requires that so much counts as unread for the user.
func (w *world) unread(user string, want uint64) {
	w.Helper()
	if m := w.member(user); m.Unread != want {
		w.Fatalf("%s has %d unread, want %d: %+v", user, m.Unread, want, m)
	}
}

// mentioned requires that so many unread messages name the user.
func (w *world) mentioned(user string, want uint32) {
	w.Helper()
	if m := w.member(user); m.Mentions != want {
		w.Fatalf("%s is mentioned %d times, want %d: %+v", user, m.Mentions, want, m)
	}
}

// place is where a conversation stands for a user.
type place string

const (
	listed place = "listed"
	hidden place = "hidden"
	absent place = "absent"
)

func (w *world) place(user string) place {
	w.Helper()
	rows, ok := w.shown(user)
	if !ok {
		return absent
	}
	switch in, out := rows.Listed(); {
	case !in:
		return absent
	case out:
		return hidden
	}
	return listed
}

// takesPart reports whether the user is a member who has not left.
func (w *world) takesPart(user string) bool {
	w.Helper()
	rows, ok := w.shown(user)
	return ok && rows.Membership != nil && !rows.Membership.Left
}

// head is the head that stands in the rows, alive or over.
func (w *world) head() *persistence.Head {
	w.Helper()
	head, _, err := persistence.DecodeHead(w.rows[headKey])
	if err != nil || head == nil {
		w.Fatalf("there is no head: %v", err)
	}
	return head
}

// tombstone reports whether nothing but a tombstone, or nothing at all, stands in place of a head.
func (w *world) tombstone() bool {
	w.Helper()
	value, ok := w.rows[headKey]
	if !ok {
		return true
	}
	head, _, err := persistence.DecodeHead(value)
	if err != nil {
		w.Fatalf("head: %v", err)
	}
	return head == nil
}
