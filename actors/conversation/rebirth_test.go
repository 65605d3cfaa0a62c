package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// reborn is a conversation that ended at message 10, and whose rows the reaper has not deleted yet; deleted where it has. Both are what a passivated
// conversation would be loaded from.
func reborn(t *testing.T, do func(w *world)) {
	t.Helper()
	for _, state := range []string{"over", "deleted"} {
		for _, passivated := range []bool{false, true} {
			t.Run(state, func(t *testing.T) {
				w := conversationStates[state](t)
				if passivated {
					w.reload()
				}
				do(w)
			})
		}
	}
}

func TestALateRepeatDoesNotReviveADeadConversation(t *testing.T) {
	reborn(t, func(w *world) {
		w.repeat(say(10, "ann", "ann", "bob"), say(3, "bob"))
		w.placed("bob", absent)
	})
}

func TestALateRepeatChangesNothingInTheNextLifeEither(t *testing.T) {
	for _, begin := range []conversation.Change{say(11, "ann", "ann", "bob"), join("ann", "bob")} {
		reborn(t, func(w *world) {
			w.do(begin)
			w.reload()
			w.repeat(say(10, "ann", "ann", "bob", "carl"), say(3, "dora"), say(1, "bob"))
			w.part("carl", false)
			w.part("dora", false)
		})
	}
}

func TestTheFirstPostOfTheNextLifeMayHaveAnyHigherNumber(t *testing.T) {
	for _, seq := range []uint64{11, 5_000_000} {
		reborn(t, func(w *world) {
			w.do(say(seq, "ann", "bob"))
			w.unread("bob", 1)
			w.do(say(seq+1, "ann"))
			w.unread("bob", 2)
		})
	}
}

func TestAJoinBeginsANextLifeThatGoesOnFromTheLastNumber(t *testing.T) {
	reborn(t, func(w *world) {
		w.do(join("ann", "bob"))
		v := w.view("bob")
		if v.LastSeq != 10 || len(v.Preview) != 0 || v.LastSender != "" {
			w.Fatalf("the next life begins at %d with %q from %q; want 10 and no message", v.LastSeq, v.Preview, v.LastSender)
		}
		w.unread("bob", 0)
		w.do(say(11, "ann"))
		w.unread("bob", 1)
	})
}

func TestNothingOfTheLastLifeIsLeftInTheNext(t *testing.T) {
	w := two(t, 10)
	w.do(
		join("carl"),
		&conversation.Clear{User: "bob", Seq: 500, Hide: true},
		&conversation.Read{User: "ann", Seq: 500},
		&conversation.Post{Seq: 11, Sender: "carl", Silent: true, MentionAll: true, Mentions: []string{"ann"}},
	)
	w.advance(time.Hour)
	w.do(say(12, "dora", "ann", "bob"))
	for range 2 {
		w.part("carl", false)
		w.placed("bob", listed)
		w.unread("bob", 1)
		w.unread("ann", 1)
		w.mentioned("ann", 0)
		if members := w.view("").Members; members != 3 {
			t.Fatalf("there are %d members, want ann, bob and dora", members)
		}
		w.reload()
		w.refused(&conversation.Read{User: "carl", Seq: 12}, conversation.ErrNotFound, "read.user")
	}
}

func TestGenerationsGrow(t *testing.T) {
	w := newWorld(t)
	last := persistence.Generation(0)
	for life := range uint64(10) {
		out := w.do(say(life+1, "ann", "bob"))
		got := w.head().Generation
		if got <= last {
			t.Fatalf("life %d has generation %d, the one before it %d", life, got, last)
		}
		if out.Ended != nil && out.Ended.Generation != last {
			t.Fatalf("as life %d began, what ended was generation %d, want %d", life, out.Ended.Generation, last)
		}
		last = got
		w.advance(time.Hour)
		switch life % 3 {
		case 0:
			w.reload()
		case 1:
			_, out := w.judge()
			w.reap(out.Ended)
			w.reload()
		}
	}
}

func TestTheNextLifeRecordsHowTheLastOneEnded(t *testing.T) {
	w := two(t, 10)
	old := w.head()
	w.advance(2 * time.Hour)
	out := w.do(say(11, "ann"))
	want := &conversation.Ending{
		Conversation: name, Generation: old.Generation, Reason: persistence.ReasonExpired, LastSeq: 10, Deadline: old.Deadline, Due: old.Due, Members: 2, Alone: true,
		Index: old.Index(), Users: []string{"ann", "bob"},
	}
	if diff := cmp.Diff(want, out.Ended); diff != "" {
		t.Fatalf("ended (-want +got):\n%s", diff)
	}
	record := persistence.Due{Ended: &persistence.Ended{Reason: persistence.ReasonExpired, LastSeq: 10, Deadline: old.Deadline, Users: want.Users}, Index: old.Index()}
	if diff := cmp.Diff(record, w.rows.dues()[old.Due]); diff != "" {
		t.Fatalf("the old due entry (-want +got):\n%s", diff)
	}
	w.reap(out.Ended)
	w.part("ann", true)
	w.part("bob", false)
}

func TestALifeKnowsWhetherItBeganBesideRowsOfAnother(t *testing.T) {
	w := two(t, 10)
	want := func(when string, alone bool) {
		t.Helper()
		if w.head().Alone != alone {
			t.Errorf("%s: alone %v, want %v", when, !alone, alone)
		}
		w.reload()
	}
	want("the first", true)
	w.advance(2 * time.Hour)
	w.do(say(11, "ann"))
	want("the one before is over, and not deleted", false)
	w.do(say(12, "bob"))
	want("it goes on", false)
	w.advance(2 * time.Hour)
	_, out := w.judge()
	w.reap(out.Ended)
	w.reload()
	w.do(say(13, "ann"))
	want("the one before was deleted", true)
}

func TestTheRecordOfAnEndIsNotWrittenWhereTheReaperWasFaster(t *testing.T) {
	w := conversationStates["deleted"](t)
	w.do(say(11, "ann"))
	if dues := w.rows.dues(); len(dues) != 1 || dues[w.head().Due].Ended != nil {
		t.Fatalf("due entries: %+v; want that of the new life alone", dues)
	}
	w = two(t, 10)
	w.advance(time.Hour)
	_, judged := w.judge()
	w.reap(judged.Ended) // while the state is in memory
	w.do(say(11, "ann"))
	if dues := w.rows.dues(); len(dues) != 1 || dues[w.head().Due].Ended != nil {
		t.Fatalf("due entries: %+v; want that of the new life alone", dues)
	}
}
