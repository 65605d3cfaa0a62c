package journal_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

func TestAChangeThatNobodyWaitsForIsWrittenAfterTheInterval(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for round := range 3 { // the timer begins anew each time
			f.add("group:1", head("group:1", "1"))
			f.advance(interval - time.Nanosecond)
			if got := len(f.tried()); got != round {
				t.Fatalf("round %d: %d commits before the interval was over, want %d", round, got, round)
			}
			f.advance(time.Nanosecond)
			if got := len(f.tried()); got != round+1 {
				t.Fatalf("round %d: %d commits after the interval, want %d", round, got, round+1)
			}
		}
	})
}

func TestTheIntervalCountsFromTheFirstChange(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.add("group:1", head("group:1", "1"))
		f.advance(interval / 2)
		f.add("group:2", head("group:2", "1"))
		f.advance(interval / 2)
		f.wantTried(lines(head("group:1", "1"), head("group:2", "1")))
	})
}

func TestAChangeThatSomebodyWaitsForIsWrittenAtOnceWithAllBeforeIt(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.add("group:1", head("group:1", "1"))
		w := f.addWaiting("group:2", head("group:2", "1"))
		synctest.Wait()
		f.wantTold("the second change", w, nil)
		f.wantTried(lines(head("group:1", "1"), head("group:2", "1")))
		f.wantTimers("with nothing to write any more", 0)
	})
}

func TestAFullBatchIsWrittenAtOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.add("group:1", head("group:1", "1"), tail("group:1", "1"))
		synctest.Wait()
		f.wantTried()
		f.add("group:2", head("group:2", "1"))
		synctest.Wait()
		f.wantTried(lines(head("group:1", "1"), tail("group:1", "1"), head("group:2", "1")))
	}, func(c *journal.Config) { c.Rows = 3 })
}

func TestWhatComesDuringAWriteGoesInTheNextWhichFollowsAtOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slow(10 * time.Millisecond)
		first := f.addWaiting("group:1", head("group:1", "1"))
		f.advance(time.Millisecond)
		second := f.addWaiting("group:1", head("group:1", "2"))
		third := f.addWaiting("group:2", head("group:2", "1"))
		f.advance(9 * time.Millisecond)
		f.wantTold("the change in the first batch", first, nil)
		f.wantWaiting("a change in the second batch", second)
		f.advance(10 * time.Millisecond)
		f.wantTold("a change in the second batch", second, nil)
		f.wantTold("the other change in the second batch", third, nil)
		f.wantStored(head("group:1", "").Key, "1")
		f.wantLogged(lines(head("group:1", "1")), lines(head("group:1", "2"), head("group:2", "1")))
	})
}

func TestWhoWaitsForTheStoreIsToldOnceItsReadersSeeTheRows(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slow(time.Millisecond)
		seq := f.add("group:1", head("group:1", "1"))
		w := &waiter{check: func() { f.wantStored(head("group:1", "").Key, "1") }}
		f.WaitStored("group:1", seq, w)
		f.advance(time.Millisecond)
		f.wantTold("the change", w, nil)
		f.wantLogged()

		seq = f.Add("group:1", persistence.ShardOf("group:1"), []conversation.Write{head("group:1", "2")}, &waiter{})
		again := &waiter{check: func() { f.wantStored(head("group:1", "").Key, "2") }}
		f.WaitStored("group:1", seq, again)
		f.advance(2 * time.Millisecond)
		f.wantTold("the change that is logged first", again, nil)
	})
}

func TestWaitIsForTheBatchThatIsNamed(t *testing.T) {
	inBubble(t, func(f *fixture) {
		landed := f.add("group:1", head("group:1", "1"))
		f.advance(interval)
		f.wantTold("a batch that is in the store, in the call itself", f.wait("group:1", landed), nil)
		f.wantTold("the batch before all others", f.wait("group:1", 0), nil)

		release := f.hold(nil)
		flying := f.add("group:1", head("group:1", "2"))
		f.Flush()
		synctest.Wait()
		open := f.add("group:1", head("group:1", "3"))
		forFlying, forOpen := f.wait("group:1", flying), f.wait("group:1", open)
		synctest.Wait()
		f.wantWaiting("the batch being written", forFlying)
		f.wantWaiting("the open batch", forOpen)
		// The batch being written does not wait for the one after it.
		forFlying.check = func() { f.wantStored(head("group:1", "").Key, "2") }
		release()
		f.wantTold("the batch being written", forFlying, nil)
		f.wantTold("the open batch, without its interval", forOpen, nil)
		f.wantLogged(lines(head("group:1", "3")))
		f.advance(interval)
		f.wantStored(head("group:1", "").Key, "3")
	})
}

func TestOnceSeqIsFlushedSoIsAllThatWasAddedBefore(t *testing.T) {
	inBubble(t, func(f *fixture) {
		if seq, flushed := f.Seq(), f.Flushed(); seq != flushed {
			t.Errorf("an empty journal: Seq %d, Flushed %d, want them equal", seq, flushed)
		}
		release := f.hold(nil)
		flying := f.add("group:1", head("group:1", "1"))
		if got := f.Seq(); got != flying {
			t.Errorf("with a change in the open batch %d: Seq %d", flying, got)
		}
		f.Flush()
		synctest.Wait()
		if got := f.Seq(); got != flying {
			t.Errorf("with batch %d being written and nothing after it: Seq %d", flying, got)
		}
		open := f.add("group:1", head("group:1", "2"))
		if got := f.Seq(); open <= flying || got != open {
			t.Errorf("with a change in the open batch %d behind %d: Seq %d", open, flying, got)
		}
		release()
		f.advance(interval)
		if got := f.Flushed(); got != open {
			t.Errorf("after all was written: Flushed %d, want %d", got, open)
		}
		if got := f.Seq(); got != open {
			t.Errorf("after all was written: Seq %d, want %d", got, open)
		}
	})
}

func TestEachFlushIsToldOnceInOrderAfterItsRowsAreInTheStore(t *testing.T) {
	var f *fixture
	var bad []uint64
	inBubble(t, func(started *fixture) {
		f = started
		for i := range 5 {
			f.add("group:1", head("group:1", string(rune('1'+i))))
			f.advance(interval)
		}
		if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(f.flushed, want) || len(bad) != 0 {
			t.Errorf("OnFlush: got %v, want %v; too early: %v", f.flushed, want, bad)
		}
	}, func(c *journal.Config) {
		next := c.OnFlush
		c.OnFlush = func(seq uint64) {
			next(seq)
			if got, _ := f.stored(head("group:1", "").Key); got != string(rune('0'+seq)) || f.Flushed() != seq {
				bad = append(bad, seq)
			}
		}
	})
}

func TestAFlushWithNothingToWriteDoesNotBotherTheStore(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.Flush()
		f.advance(time.Hour)
		f.wantTried()
	})
}

func TestEachAttemptIsToldWithWhatIsInIt(t *testing.T) {
	inBubble(t, func(f *fixture) {
		fail := true
		f.failing(func(persistence.Batch) error {
			if fail {
				fail = false
				return errDisk
			}
			return nil
		})
		f.add("group:1", head("group:1", "1"), tail("group:1", "1"))
		f.add("group:2", head("group:2", "1"))
		bytes := f.Stats().Bytes
		f.advance(time.Second)
		if len(f.begun) != 2 || len(f.ended) != 2 {
			t.Fatalf("got %d beginnings and %d ends, want 2 of each", len(f.begun), len(f.ended))
		}
		for i, a := range f.begun {
			want := journal.Attempt{Conversations: 2, Rows: 3, Bytes: bytes, Number: i + 1, Age: a.Age}
			least := interval * time.Duration(i+1)
			least = min(least, interval+5*time.Millisecond) // half of the first pause, at least
			if a != want || a.Age < least || a.Age > least+5*time.Millisecond {
				t.Errorf("attempt %d: got %+v, want %+v of an age of %v, or 5 ms more", i+1, a, want, least)
			}
		}
		if f.ended[0] == nil || f.ended[1] != nil {
			t.Errorf("ends: got %v, want an error, then none", f.ended)
		}
	})
}
