package conversation_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// The ways in which bob can be part of a conversation that has 10 messages and that he cannot see the first three of. Who left did so at the sixth.
var memberStates = map[string]func(t tester) *world{
	"member": func(t tester) *world { return withBob(t) },
	"left":   func(t tester) *world { return withBob(t, &conversation.Leave{Users: []string{"bob"}}) },
	"kept":   func(t tester) *world { return withBob(t, &conversation.Leave{Users: []string{"bob"}, Keep: true}) },
	"never": func(t tester) *world {
		w := newWorld(t)
		for seq := range uint64(10) {
			w.do(say(seq+1, "ann", "carl"))
		}
		return w
	},
}

func withBob(t tester, atTheSixth ...conversation.Change) *world {
	t.Helper()
	w := newWorld(t)
	for seq := uint64(1); seq <= 10; seq++ {
		if seq == 4 {
			w.do(say(seq, "ann", "bob", "carl"))
		} else {
			w.do(say(seq, "ann", "carl"))
		}
		if seq == 6 {
			w.do(atTheSixth...)
		}
	}
	return w
}

func TestWhatAChangeDoesToEachKindOfMember(t *testing.T) {
	type want struct {
		refused  error
		field    string
		changed  bool
		takes    bool // bob takes part afterwards
		place    place
		members  uint64
		from, to uint64 // what bob may see
		read     uint64
		unread   uint64
		marked   bool
	}
	invalidUser := func(field string) want { return want{refused: conversation.ErrNotFound, field: field} }
	tests := map[string]struct {
		do   conversation.Change
		want map[string]want
	}{
		"he posts": {do: say(11, "bob"), want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, read: 11},
			"left":   {changed: true, place: absent, members: 2, from: 4, to: 6, read: 11},
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, read: 11},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 11, read: 11},
		}},
		"he posts unattended": {do: &conversation.Post{Seq: 11, Sender: "bob", Unattended: true}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   {changed: true, place: absent, members: 2, from: 4, to: 6, unread: 3},
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 11},
		}},
		"a post names him a member": {do: say(11, "ann", "bob"), want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 8},
			"left":   {changed: true, takes: true, place: listed, members: 3, from: 11, unread: 1},
			"kept":   {changed: true, takes: true, place: listed, members: 3, from: 11, unread: 1},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 11, unread: 1},
		}},
		"a post from before names him a member": {do: say(6, "ann", "bob"), want: map[string]want{
			"member": {takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   {place: absent, members: 2, from: 4, to: 6, unread: 3},
			"kept":   {place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 6, unread: 5},
		}},
		"he joins": {do: &conversation.Join{Users: []string{"bob"}}, want: map[string]want{
			"member": {takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   {changed: true, takes: true, place: listed, members: 3, from: 11, read: 10},
			"kept":   {changed: true, takes: true, place: listed, members: 3, from: 11, read: 10},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 11, read: 10},
		}},
		"he joins and is shown the past": {do: &conversation.Join{Users: []string{"bob"}, VisibleFrom: 2, UnreadFrom: 9}, want: map[string]want{
			"member": {takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   {changed: true, takes: true, place: listed, members: 3, from: 2, read: 8, unread: 2},
			"kept":   {changed: true, takes: true, place: listed, members: 3, from: 2, read: 8, unread: 2},
			"never":  {changed: true, takes: true, place: listed, members: 3, from: 2, read: 8, unread: 2},
		}},
		"he leaves": {do: &conversation.Leave{Users: []string{"bob"}}, want: map[string]want{
			"member": {changed: true, place: absent, members: 2, from: 4, to: 10, unread: 7},
			"left":   {place: absent, members: 2, from: 4, to: 6, unread: 3},
			"kept":   {changed: true, place: absent, members: 2, from: 4, to: 6, unread: 3},
			"never":  {place: absent, members: 2},
		}},
		"he leaves and keeps it": {do: &conversation.Leave{Users: []string{"bob"}, Keep: true}, want: map[string]want{
			"member": {changed: true, place: listed, members: 2, from: 4, to: 10, unread: 7},
			"left":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3},
			"kept":   {place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  {place: absent, members: 2},
		}},
		"he reads": {do: &conversation.Read{User: "bob", Seq: 5}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, read: 5, unread: 5},
			"left":   invalidUser("read.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, read: 5, unread: 1},
			"never":  invalidUser("read.user"),
		}},
		"he clears": {do: &conversation.Clear{User: "bob", Seq: 5}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 5},
			"left":   invalidUser("clear.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 1},
			"never":  invalidUser("clear.user"),
		}},
		"he clears all and hides it": {do: &conversation.Clear{User: "bob", Seq: 10, Hide: true}, want: map[string]want{
			"member": {changed: true, takes: true, place: hidden, members: 3, from: 4},
			"left":   invalidUser("clear.user"),
			"kept":   {changed: true, place: hidden, members: 2, from: 4, to: 6},
			"never":  invalidUser("clear.user"),
		}},
		"he is delivered to": {do: &conversation.Deliver{User: "bob", Seq: 5}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   invalidUser("deliver.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  invalidUser("deliver.user"),
		}},
		"he marks it unread": {do: &conversation.MarkUnread{User: "bob"}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7, marked: true},
			"left":   invalidUser("mark_unread.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3, marked: true},
			"never":  invalidUser("mark_unread.user"),
		}},
		"he marks a message unread that he has not read": {do: &conversation.MarkUnread{User: "bob", Seq: 8}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7, marked: true},
			"left":   invalidUser("mark_unread.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3, marked: true},
			"never":  invalidUser("mark_unread.user"),
		}},
		"he pins it": {do: &conversation.Set{User: "bob", Pin: new(uint64(7))}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   invalidUser("set.user"),
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  invalidUser("set.user"),
		}},
		"he hides it": {do: &conversation.Set{User: "bob", Hide: new(persistence.HideUntilMessage)}, want: map[string]want{
			"member": {changed: true, takes: true, place: hidden, members: 3, from: 4, unread: 7},
			"left":   invalidUser("set.user"),
			"kept":   {changed: true, place: hidden, members: 2, from: 4, to: 6, unread: 3},
			"never":  invalidUser("set.user"),
		}},
		"a message is retracted": {do: &conversation.Amend{Seq: 5, Retracted: true}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 6},
			"left":   {changed: true, place: absent, members: 2, from: 4, to: 6, unread: 2},
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 2},
			"never":  {changed: true, place: absent, members: 2},
		}},
		"it is held": {do: &conversation.Hold{On: true}, want: map[string]want{
			"member": {changed: true, takes: true, place: listed, members: 3, from: 4, unread: 7},
			"left":   {changed: true, place: absent, members: 2, from: 4, to: 6, unread: 3},
			"kept":   {changed: true, place: listed, members: 2, from: 4, to: 6, unread: 3},
			"never":  {changed: true, place: absent, members: 2},
		}},
	}
	for change, test := range tests {
		for state, begin := range memberStates {
			t.Run(change+"/"+state, func(t *testing.T) {
				for _, passivated := range []bool{false, true} {
					w := begin(t)
					if passivated {
						w.reload()
					}
					out, err := w.propose(test.do)
					got := want{changed: out.Changed, takes: w.takesPart("bob"), place: w.place("bob"), members: w.view("").Members}
					if m := w.view("bob").Membership; m != nil {
						got.from, got.to, got.read, got.unread, got.marked = m.VisibleFrom, m.VisibleTo, m.ReadSeq, m.Unread, m.MarkedUnread
					}
					if refusal, ok := errors.AsType[*conversation.Error](err); ok {
						got = want{refused: refusal.Kind, field: refusal.Field}
					}
					if diff := cmp.Diff(test.want[state], got, cmp.AllowUnexported(want{}), cmp.Comparer(sameError)); diff != "" {
						t.Errorf("passivated before: %v (-want +got):\n%s", passivated, diff)
					}
				}
			})
		}
	}
}
