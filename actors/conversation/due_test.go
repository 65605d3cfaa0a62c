package conversation_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// due requires that the conversation has one due entry, for that moment.
func (w *world) due(want persistence.Instant) {
	w.Helper()
	if got := slices.Collect(maps.Keys(w.rows.dues())); len(got) != 1 || got[0] != want {
		w.Fatalf("there are entries due at %v, want one at %d", got, want)
	}
	if got := w.head().Due; got != want {
		w.Fatalf("the head is due at %d, want %d", got, want)
	}
}

func TestADueEntryIsWrittenOnceInEachRetentionPeriod(t *testing.T) {
	w := newWorld(t)
	first := w.do(say(1, "ann", "bob"))
	if first.Due != start.Add(time.Hour) {
		t.Fatalf("the first post's entry is due at %d, want %d", first.Due, start.Add(time.Hour))
	}
	for seq := uint64(2); seq < 100; seq++ {
		w.advance(30 * time.Second)
		if seq == 50 {
			w.reload()
		}
		if out := w.do(say(seq, "ann")); out.Due != 0 {
			t.Fatalf("post %d wrote another entry, due at %d", seq, out.Due)
		}
	}
	w.due(start.Add(time.Hour))
}

func TestAnEntryThatComesDueTooEarlyIsMovedToTheDeadline(t *testing.T) {
	w := two(t, 1)
	w.advance(time.Minute)
	w.do(say(2, "ann"))
	before := w.view("")
	w.now = start.Add(time.Hour)
	for range 2 { // the second time it is the moved one that is looked at, before its time
		verdict, out := w.judge()
		if verdict != conversation.Later || out.Ended != nil || out.Due != start.Add(time.Hour+time.Minute) {
			t.Fatalf("judged %v, ended %+v, due at %d; want later, at the deadline", verdict, out.Ended, out.Due)
		}
		w.due(start.Add(time.Hour + time.Minute))
	}
	if diff := cmp.Diff(before, w.view("")); diff != "" {
		t.Fatalf("moving an entry changed what is shown:\n%s", diff)
	}
}

func TestAnEntryOfWhatNoLongerExpiresIsRemoved(t *testing.T) {
	w := two(t, 1)
	w.policy.ExpireAfter = 0
	w.do(say(2, "ann"))
	w.due(start.Add(time.Hour)) // an entry that is too early costs nothing until it comes due
	w.advance(time.Hour)
	if verdict, _ := w.judge(); verdict != conversation.Later {
		t.Fatalf("judged %v, want later", verdict)
	}
	if head := w.head(); head.Due != 0 || len(w.rows.dues()) != 0 {
		t.Fatalf("it is due at %d, with %d entries; want none", head.Due, len(w.rows.dues()))
	}
}

func TestAShorterRetentionMovesTheEntryForward(t *testing.T) {
	w := two(t, 1)
	w.policy.ExpireAfter = time.Minute
	out := w.do(say(2, "ann"))
	w.due(start.Add(time.Minute))
	if out.Due != start.Add(time.Minute) {
		t.Fatalf("the outcome is due at %d, want %d", out.Due, start.Add(time.Minute))
	}
}

func TestADeleteIsDueAtOnce(t *testing.T) {
	for _, expireAfter := range []time.Duration{0, time.Hour} {
		w := newWorld(t)
		w.policy.ExpireAfter = expireAfter
		w.do(say(1, "ann", "bob"))
		w.advance(time.Minute)
		w.ifGeneration = uint64(w.state.Generation())
		out := w.do(&conversation.Delete{})
		want := &conversation.Ending{
			Conversation: name, Generation: w.state.Generation(), Reason: persistence.ReasonDeleted, LastSeq: 1, Deadline: w.now, Due: w.now, Members: 2, Alone: true,
			Index: w.head().Index(), Users: []string{"ann", "bob"},
		}
		if diff := cmp.Diff(want, out.Ended); diff != "" {
			t.Fatalf("ended (-want +got):\n%s", diff)
		}
		w.due(w.now)
		w.placed("bob", absent)
		w.refused(&conversation.Delete{}, conversation.ErrNotFound, "")
		if verdict, out := w.judge(); verdict != conversation.Over || !cmp.Equal(want, out.Ended) {
			t.Fatalf("judged %v, ended %+v; want over, %+v", verdict, out.Ended, want)
		}
	}
}

func TestADeleteWhileTheEntryIsOverdueLeavesTheEntry(t *testing.T) {
	w := two(t, 1)
	w.advance(time.Minute)
	w.do(say(2, "ann"))
	w.advance(time.Hour - time.Second) // nobody judged yet
	w.ifGeneration = uint64(w.state.Generation())
	if out := w.do(&conversation.Delete{}); out.Ended.Due != start.Add(time.Hour) || out.Ended.Deadline != w.now {
		t.Fatalf("ended %+v; want due at %d, over at %d", out.Ended, start.Add(time.Hour), w.now)
	}
	w.due(start.Add(time.Hour))
}

func TestADeletedConversationStaysDeletedWhateverTheNextStamp(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Minute)
	w.ifGeneration = uint64(w.state.Generation())
	deleted := w.do(&conversation.Delete{}).Ended.Generation
	w.ifGeneration = 0
	w.reload()
	w.now = start
	w.refused(&conversation.Read{User: "bob", Seq: 1}, conversation.ErrNotFound, "")
	w.repeat(say(5, "ann"))
	w.do(say(6, "ann"))
	if got := w.state.Generation(); got == deleted {
		t.Fatalf("a post that was accepted before the delete went to the deleted generation %d", got)
	}
}

func TestAtItsDeadlineAConversationIsOver(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Hour - time.Microsecond)
	w.placed("bob", listed)
	w.repeat(say(5, "ann"))
	if verdict, _ := w.judge(); verdict != conversation.Later {
		t.Fatalf("judged %v just before the deadline, want later", verdict)
	}
	w.due(start.Add(time.Hour))
	w.advance(time.Microsecond)
	w.placed("bob", absent)
	w.refused(&conversation.Read{User: "bob", Seq: 5}, conversation.ErrNotFound, "")
	verdict, out := w.judge()
	if verdict != conversation.Over || out.Ended == nil || out.Changed || out.Rows() != 0 {
		t.Fatalf("judged %v at the deadline, %+v; want over, and nothing written", verdict, out)
	}
}

func TestWhatWasJudgedOverStaysOver(t *testing.T) {
	w := two(t, 5)
	old := w.state.Generation()
	w.advance(time.Hour)
	_, out := w.judge()
	w.advance(-time.Minute)
	w.refused(&conversation.Read{User: "bob", Seq: 1}, conversation.ErrNotFound, "")
	w.do(say(6, "ann", "bob"))
	w.reap(out.Ended)
	if got := w.state.Generation(); got == old {
		t.Fatalf("a post went to generation %d, which the reaper is deleting", got)
	}
	w.unread("bob", 1)
}

// tombstoned is a conversation of which only the rows know that it was deleted: where a State is still in memory, it says once more that it is over.
func tombstoned(t tester) *world {
	w := conversationStates["deleted"](t)
	w.reload()
	return w
}

func TestWhatAJudgementComesTo(t *testing.T) {
	const generation = 110
	due := start.Add(time.Hour)
	tests := map[string]struct {
		world      func(t tester) *world
		generation persistence.Generation
		due        persistence.Instant
		want       conversation.Verdict
	}{
		"of the entry that there is":          {conversationStates["over"], generation, due, conversation.Over},
		"before the deadline":                 {conversationStates["alive"], generation, due, conversation.Later},
		"of an entry that was moved":          {conversationStates["over"], generation, due - 1, conversation.Moved},
		"of a life before this one":           {conversationStates["over"], generation - 10, due, conversation.Moved},
		"of a life that is not known":         {conversationStates["over"], generation + 10, due, conversation.Orphaned},
		"of a conversation that was deleted":  {tombstoned, generation, due, conversation.Orphaned},
		"of a conversation that is not known": {conversationStates["none"], generation, due, conversation.Orphaned},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			for _, passivated := range []bool{false, true} {
				w := test.world(t)
				if passivated {
					w.reload()
				}
				verdict, out := w.state.Judge(test.generation, test.due, w.now)
				if verdict != test.want || (out.Ended != nil) != (verdict == conversation.Over) || (out.Rows() > 0) != (verdict == conversation.Later) {
					t.Errorf("passivated: %v: judged %v, ended %+v, %d writes; want %v", passivated, verdict, out.Ended, out.Rows(), test.want)
				}
			}
		})
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	for verdict, want := range map[conversation.Verdict]string{
		conversation.Over: "over", conversation.Later: "later", conversation.Moved: "moved", conversation.Orphaned: "orphaned",
		conversation.Unsure: "unsure",
	} {
		if got := verdict.String(); got != want {
			t.Errorf("verdict %d is called %q, want %q", verdict, got, want)
		}
	}
}
