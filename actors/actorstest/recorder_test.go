package actorstest_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func hourly() actors.Config {
	return actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}
}

func kinds(notes []actorstest.Note) []actorstest.Kind {
	var all []actorstest.Kind
	for _, n := range notes {
		all = append(all, n.Kind)
	}
	return all
}

func TestAllThatAnEngineSaysIsRecordedInOrder(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		posted := time.Now()
		e.Advance(2 * time.Hour)
		e.Restart()
		want := []actorstest.Kind{
			actorstest.KindFlushBegin, actorstest.KindFlushEnd,
			actorstest.KindReapBegin, actorstest.KindExpired, actorstest.KindReapEnd,
			actorstest.KindStopBegin, actorstest.KindStopEnd,
		}
		if diff := cmp.Diff(want, kinds(e.Notes())); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		if n := e.Notes()[3]; n.At.Before(posted.Add(time.Hour)) || n.At.After(posted.Add(time.Hour+time.Second)) || n.Conversation() != "group:42" {
			t.Errorf("the end of the conversation was noted as %v, want it an hour after %v", n, posted)
		}
		if f, r := e.Flushes(), e.Reaps(); len(f) != 1 || f[0].Conversations != 1 || len(r) != 1 || r[0].Generations != 1 {
			t.Errorf("flushes %+v, reaps %+v; want one of each, of one conversation", f, r)
		}
	})
}

func TestTheConfigsOwnObserverIsToldToo(t *testing.T) {
	var expired, flushed atomic.Int64
	config := hourly()
	config.Observer = &actors.Observer{
		Expired:  func(actors.ExpiredInfo) { expired.Add(1) },
		FlushEnd: func(actors.FlushInfo) { flushed.Add(1) },
	}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Restart()
		e.Advance(time.Hour + time.Second)
		if expired.Load() != 1 || flushed.Load() != 1 || len(e.Expired()) != 1 {
			t.Errorf("told of %d ends and %d flushes, recorded %d ends; want one of each", expired.Load(), flushed.Load(), len(e.Expired()))
		}
	})
}

func TestWhatACrashedEngineSaysIsNotHeard(t *testing.T) {
	var stops atomic.Int64
	config := hourly()
	config.Observer = &actors.Observer{StopBegin: func(actors.StopInfo) { stops.Add(1) }}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Advance(time.Millisecond) // what was logged is in the store
		e.Crash()
		if stops.Load() != 0 || cmp.Equal(e.Notes(), nil) || e.Notes()[len(e.Notes())-1].Kind != actorstest.KindFlushEnd {
			t.Errorf("%d stops were told, notes: %v; want the flush as the last thing that was heard", stops.Load(), e.Notes())
		}
		e.Advance(time.Hour + time.Second)
		if len(e.Expired()) != 1 {
			t.Errorf("the next engine was heard to end %d conversations, want 1", len(e.Expired()))
		}
	})
}

func TestRefusalsThatNobodyWaitsForAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := actorstest.NewHost(t)
		e := actorstest.StartOn(t, nil, host, actors.Config{})
		host.Root.Send(e.PID(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Hold{On: true}})
		n := e.Await(time.Second, func(n actorstest.Note) bool { return n.Kind == actorstest.KindUnanswered })
		if got := e.Unanswered(); len(got) != 1 || got[0].Kind != "hold" || !errors.Is(n.Err(), conversation.ErrNotFound) || n.Conversation() != "group:42" {
			t.Errorf("unanswered: got %+v, want the hold of a conversation that is not there", got)
		}
	})
}

func TestAwaitLetsTimeGoByUntilItIsSaid(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		e.Advance(time.Minute)
		e.Post("group:2", "ann", 1)
		began := time.Now()
		if got := e.AwaitExpired(2*time.Hour, "group:2"); got.Conversation != "group:2" {
			t.Errorf("got the end of %s, want that of group:2", got.Conversation)
		}
		if took := time.Since(began); took < time.Hour || took > time.Hour+time.Second {
			t.Errorf("it took %v, want an hour", took)
		}
		// What was said before is found without any waiting.
		began = time.Now()
		if e.AwaitExpired(time.Hour, "group:1"); time.Since(began) != 0 {
			t.Errorf("what had been said was waited for: %v", time.Since(began))
		}
	})
}

func TestAwaitCallsWithEachNoteOnce(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		e.BreakFor(time.Second, actorstest.WritesFail(nil))
		failures := 0
		go e.Do("group:42", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Await(time.Minute, func(n actorstest.Note) bool {
			if n.Kind == actorstest.KindFlushEnd && n.Err() != nil {
				failures++
			}
			return n.Kind == actorstest.KindFlushEnd && n.Err() == nil
		})
		if want := len(e.Flushes()) - 1; failures != want || failures == 0 {
			t.Errorf("saw %d failures of %d attempts", failures, want+1)
		}
	})
}

func TestANoteIsALineOfALog(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		e.BreakFor(5*time.Millisecond, actorstest.WritesFail(nil))
		e.Post("group:42", "ann", 7)
		e.AwaitExpired(2*time.Hour, "group:42")
		var lines strings.Builder
		for _, n := range e.Notes() {
			lines.WriteString(n.String() + "\n")
		}
		for _, want := range []string{"flush end: 1 conversations, ", "attempt 1: " + actorstest.ErrBroken.Error(), "expired group:42: generation ", "last seq 7"} {
			if !strings.Contains(lines.String(), want) {
				t.Errorf("there is no %q in\n%s", want, lines.String())
			}
		}
	})
}
