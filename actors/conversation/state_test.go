package conversation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
)

// The states that a conversation can be in. Where it is or was there, ann and bob took part and 10 messages were said.
var conversationStates = map[string]func(t tester) *world{
	"none":  newWorld,
	"alive": func(t tester) *world { return two(t, 10) },
	"over": func(t tester) *world {
		w := two(t, 10)
		w.advance(time.Hour)
		return w
	},
	"deleted": func(t tester) *world {
		w := two(t, 10)
		w.advance(time.Hour)
		_, out := w.judge()
		w.reap(out.Ended)
		return w
	},
}

func TestWhatAChangeDoesInEachStateOfAConversation(t *testing.T) {
	type want struct {
		refused error
		field   string
		begins  bool
		changed bool
		lastSeq uint64
	}
	const generation = 110 // of the first life
	notFound := want{refused: conversation.ErrNotFound}
	tests := []struct {
		change       string
		do           conversation.Change
		ifGeneration uint64
		want         map[string]want
	}{
		{change: "the next post", do: say(11, "ann"), want: map[string]want{
			"none": {begins: true, changed: true, lastSeq: 11}, "alive": {changed: true, lastSeq: 11},
			"over": {begins: true, changed: true, lastSeq: 11}, "deleted": {begins: true, changed: true, lastSeq: 11},
		}},
		{change: "a post that was said already", do: say(10, "ann"), want: map[string]want{
			"none": {begins: true, changed: true, lastSeq: 10}, "alive": {lastSeq: 10}, "over": {lastSeq: 10}, "deleted": {lastSeq: 10},
		}},
		{change: "a post far ahead", do: say(11+conversation.DefaultMaxSeqJump, "ann"), want: map[string]want{
			"none":  {begins: true, changed: true, lastSeq: 11 + conversation.DefaultMaxSeqJump},
			"alive": {refused: conversation.ErrInvalid, field: "post.seq"},
			"over":  {begins: true, changed: true, lastSeq: 11 + conversation.DefaultMaxSeqJump}, "deleted": {begins: true, changed: true, lastSeq: 11 + conversation.DefaultMaxSeqJump},
		}},
		{change: "a post to the first life", do: say(11, "ann"), ifGeneration: generation, want: map[string]want{
			"none": {refused: conversation.ErrConflict, field: "if_generation"}, "alive": {changed: true, lastSeq: 11},
			"over": {refused: conversation.ErrConflict, field: "if_generation"}, "deleted": {refused: conversation.ErrConflict, field: "if_generation"},
		}},
		{change: "a post to another life", do: say(11, "ann"), ifGeneration: 7, want: map[string]want{
			"none": {refused: conversation.ErrConflict, field: "if_generation"}, "alive": {refused: conversation.ErrConflict, field: "if_generation"},
			"over": {refused: conversation.ErrConflict, field: "if_generation"}, "deleted": {refused: conversation.ErrConflict, field: "if_generation"},
		}},
		{change: "a join", do: &conversation.Join{Users: []string{"carl"}}, want: map[string]want{
			"none": {begins: true, changed: true}, "alive": {changed: true, lastSeq: 10},
			"over": {begins: true, changed: true, lastSeq: 10}, "deleted": {begins: true, changed: true, lastSeq: 10},
		}},
		{change: "a join to the first life", do: &conversation.Join{Users: []string{"carl"}}, ifGeneration: generation, want: map[string]want{
			"none": {refused: conversation.ErrConflict, field: "if_generation"}, "alive": {changed: true, lastSeq: 10},
			"over": {refused: conversation.ErrConflict, field: "if_generation"}, "deleted": {refused: conversation.ErrConflict, field: "if_generation"},
		}},
		{change: "a leave", do: &conversation.Leave{Users: []string{"bob"}}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a read", do: &conversation.Read{User: "bob", Seq: 4}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a clear", do: &conversation.Clear{User: "bob", Seq: 4}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "an amendment", do: &conversation.Amend{Seq: 4, Retracted: true}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a delivery", do: &conversation.Deliver{User: "bob", Seq: 4}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a mark", do: &conversation.MarkUnread{User: "bob"}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a setting", do: &conversation.Set{User: "bob", Tags: new(uint64(4))}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a hold", do: &conversation.Hold{On: true}, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "an amendment that overtook its post", do: &conversation.Amend{Seq: 11, Retracted: true}, want: map[string]want{
			"none": notFound, "alive": {refused: conversation.ErrInvalid, field: "amend.seq"}, "over": notFound, "deleted": notFound,
		}},
		{change: "a hold of another life", do: &conversation.Hold{On: true}, ifGeneration: 7, want: map[string]want{
			"none": notFound, "alive": {refused: conversation.ErrConflict, field: "if_generation"}, "over": notFound, "deleted": notFound,
		}},
		{change: "a release of what is not held", do: &conversation.Hold{}, want: map[string]want{
			"none": notFound, "alive": {lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a delete of the first life", do: &conversation.Delete{}, ifGeneration: generation, want: map[string]want{
			"none": notFound, "alive": {changed: true, lastSeq: 10}, "over": notFound, "deleted": notFound,
		}},
		{change: "a delete of another life", do: &conversation.Delete{}, ifGeneration: 7, want: map[string]want{
			"none": notFound, "alive": {refused: conversation.ErrConflict, field: "if_generation"}, "over": notFound, "deleted": notFound,
		}},
		{change: "a delete of whichever life there is", do: &conversation.Delete{}, want: map[string]want{
			"none": notFound, "alive": {refused: conversation.ErrInvalid, field: "if_generation"}, "over": notFound, "deleted": notFound,
		}},
	}
	for _, test := range tests {
		for state, begin := range conversationStates {
			t.Run(test.change+"/"+state, func(t *testing.T) {
				for _, passivated := range []bool{false, true} {
					w := begin(t)
					if passivated {
						w.reload()
					}
					w.ifGeneration = test.ifGeneration
					before := w.state.Generation()
					out, err := w.propose(test.do)
					after, _, lastSeq := w.state.Standing()
					got := want{begins: after > uint64(before), changed: out.Changed, lastSeq: lastSeq}
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

func sameError(a, b error) bool { return errors.Is(a, b) && errors.Is(b, a) }

func TestTimeDoesNotGoBackWithinAConversation(t *testing.T) {
	w := two(t, 1)
	w.advance(time.Minute)
	w.do(say(2, "bob"))
	deadline := w.head().Deadline
	w.now = start
	w.do(say(3, "ann"))
	if got := w.head().Deadline; got != deadline {
		t.Fatalf("a post that was accepted a minute earlier moved the deadline from %d to %d", deadline, got)
	}
}
