package conversation_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
)

// visit unpacks the world's conversation on its desk, and next the other one, for which there is memory enough: it was there before.
func (w *world) visit(others, packed []byte) (state *conversation.State, next func()) {
	w.Helper()
	unpack := func(of string, packed []byte) *conversation.State {
		state, err := w.desk.Unpack(of, packed, start)
		if err != nil || state == nil {
			w.Fatalf("unpack: %v, %v", state, err)
		}
		return state
	}
	unpack("group:43", others)
	return unpack(name, packed), func() { unpack("group:43", others) }
}

// other is another conversation than the world's, packed: with other names, settings and marks in the same places.
func other(t *testing.T) []byte {
	t.Helper()
	w := newWorld(t)
	w.do(say(1, "xavier", "yves", "zoe"), &conversation.Set{User: "yves", Custom: []byte("other"), Draft: &conversation.Draft{Text: []byte("other")}})
	for seq := range uint64(20) {
		w.do(&conversation.Post{Seq: seq + 2, Sender: "zoe", Silent: true, MentionAll: true, Preview: []byte("other"), Mentions: []string{"yves"}})
	}
	packed, ok := w.state.Pack(nil, w.now)
	if !ok {
		t.Fatal("not packed")
	}
	return packed
}

func TestWhatAVisitHasReturnedStaysWhenTheNextTakesItsMemory(t *testing.T) {
	others := other(t)
	w := two(t, 3)
	w.do(&conversation.Set{User: "bob", Custom: []byte("custom")})
	packed, _ := w.state.Pack(nil, w.now)
	state, next := w.visit(others, packed)
	out, err := state.Apply(conversation.Input{Change: say(4, "bob", "ann", "carl"), At: w.now, Policy: w.policy, Users: true})
	if err != nil {
		t.Fatal(err)
	}
	view, writes := state.MembershipView("bob"), slices.Concat(out.Writes, state.TakeDirty())
	if len(writes) < 6 || view == nil {
		t.Fatalf("%d writes, view: %v", len(writes), view)
	}
	returned := func() string { return fmt.Sprintf("%v %q %+v", writes, out.Users, *view) }
	before := returned()
	next()
	clear(packed)
	if after := returned(); after != before {
		t.Errorf("what was returned has changed:\n%s", cmp.Diff(before, after))
	}
}

func TestAnEndingNamesItsUsersWhenTheNextVisitTakesItsMemory(t *testing.T) {
	others := other(t)
	w := two(t, 3)
	packed, _ := w.state.Pack(nil, w.now)
	state, next := w.visit(others, packed)
	_, out := state.Judge(state.Generation(), w.head().Due, w.head().Deadline)
	next()
	if out.Ended == nil || !slices.Equal(out.Ended.Users, []string{"ann", "bob"}) {
		t.Errorf("ended: %+v, want that of ann and bob", out.Ended)
	}
}

func TestAStateThatIsKeptIsNotTakenOverByTheNext(t *testing.T) {
	others := other(t)
	w := two(t, 3)
	packed, _ := w.state.Pack(nil, w.now)
	for _, keep := range []bool{false, true} {
		var desk conversation.Desk
		state, err := desk.Unpack(name, packed, w.now)
		if err != nil {
			t.Fatal(err)
		}
		before := state.Known()
		if keep {
			desk.Keep()
		}
		if _, err := desk.Unpack("group:43", others, start); err != nil {
			t.Fatal(err)
		}
		if stays := cmp.Equal(before, state.Known()); stays != keep {
			t.Errorf("kept: %v; it stays as it was: %v", keep, stays)
		}
	}
}

// A question that is asked on one visit, and answered on a later one, says nothing about what has happened in between.
func TestAnAnswerToWhatAnEarlierVisitAskedEndsNothing(t *testing.T) {
	w := newWorld(t)
	w.policy.KeepUnread = true
	w.do(say(1, "ann", "bob"), &conversation.Read{User: "bob", Seq: 1})
	w.advance(2 * time.Hour)
	packed, _ := w.state.Pack(nil, w.now)
	visit := func() *conversation.State {
		state, err := w.desk.Unpack(name, packed, w.now)
		if err != nil || state == nil {
			t.Fatalf("unpack: %v, %v", state, err)
		}
		return state
	}
	asked := visit()
	answer := &conversation.Answer{Question: asked.Ask()}
	if verdict, _ := visit().Conclude(answer, w.head().Generation, w.head().Due, w.now); verdict != conversation.Unsure {
		t.Errorf("the answer that nobody has anything unread, to an earlier visit's question: %v, want %v", verdict, conversation.Unsure)
	}
	state := visit()
	if verdict, _ := state.Conclude(&conversation.Answer{Question: state.Ask()}, w.head().Generation, w.head().Due, w.now); verdict != conversation.Over {
		t.Errorf("the same answer to the visit's own question: %v, want %v", verdict, conversation.Over)
	}
}

func TestWhatIsLeftOfPackedBytesIsAnError(t *testing.T) {
	w := two(t, 3)
	packed, _ := w.state.Pack(nil, w.now)
	if _, err := conversation.Unpack(name, append(packed, bytes.Repeat([]byte{1}, 16)...), w.now); err == nil {
		t.Error("16 bytes more than were packed are no error")
	}
}
