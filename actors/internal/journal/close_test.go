package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestCloseWritesEverythingFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.slow(time.Millisecond)
		flying := f.addWaiting("group:1", head("group:1", "1"))
		synctest.Wait()
		open := f.addWaiting("group:1", head("group:1", "2"))
		f.add("group:2", head("group:2", "1"))
		for range 2 {
			if err := f.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		f.wantTold("the change being written", flying, nil)
		f.wantTold("the change after it", open, nil)
		f.wantStored(head("group:1", "").Key, "2")
		f.wantStored(head("group:2", "").Key, "1")

		f.wantRefused("group:1", errUnavailable)
		f.wantTold("Wait for what is in the store", f.wait("group:1", f.Flushed()), nil)
		f.wantTold("Wait for anything else", f.wait("group:1", f.Flushed()+1), errUnavailable)
		if err := f.Full(); err == nil || !errors.Is(err, conversation.ErrUnavailable) {
			t.Errorf("Full says %v, want ErrUnavailable", err)
		}
		f.advance(time.Hour)
		if got := len(f.tried()); got != 2 {
			t.Errorf("got %d commits, want 2", got)
		}
	})
}

func TestCloseGivesUpWhatItCannotWriteInTimeAndSaysHowMuch(t *testing.T) {
	for name, why := range map[string]func(persistence.Batch) error{
		"a store that fails":   func(persistence.Batch) error { return errDisk },
		"a store that is full": full,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.failing(why)
				flying := f.addWaiting("group:1", head("group:1", "1"), tail("group:1", "1"))
				synctest.Wait()
				f.add("group:2", head("group:2", "1")) // its timer runs, and so does the one of the next attempt
				ctx, cancel := context.WithTimeout(t.Context(), interval/2)
				defer cancel()
				began := time.Now()
				for range 2 {
					err := f.Close(ctx)
					lost, ok := errors.AsType[*journal.LostError](err)
					if !ok || lost.Rows != 3 || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, why(persistence.Batch{})) && !errors.Is(err, persistence.ErrStoreFull) {
						t.Errorf("close: got %v, want a LostError of 3 rows that says why", err)
					}
				}
				if took := time.Since(began); took != interval/2 {
					t.Errorf("close took %v, want the %v that it was given", took, interval/2)
				}
				if told := flying.told(); len(told) != 1 || told[0] == nil {
					t.Errorf("who waited was told %v, want one error", told)
				}
				f.wantTimers("after close", 0)
				f.wantRefused("group:1", errUnavailable)
				tried := len(f.tried())
				f.advance(time.Hour)
				if got := len(f.tried()); got != tried {
					t.Errorf("the store was asked %d times after close", got-tried)
				}
			})
		})
	}
}

func TestCloseWaitsForAWriteThatCannotBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.slow(time.Minute)
		w := f.addWaiting("group:1", head("group:1", "1"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, ok := errors.AsType[*journal.LostError](f.Close(ctx)); !ok {
			t.Error("close: want a LostError: nobody knew whether the rows would be written")
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("close took %v, want the minute of the write", took)
		}
		f.wantTold("who waited", w, errUnavailable)
	})
}

// Rows are owed, and gathered behind the batch that Close waits for, while that is logged.
func TestCloseWritesWhatIsGatheredWhileItWaits(t *testing.T) {
	owed := []string{"group:3", "group:4"}
	synctest.Test(t, func(t *testing.T) {
		var f *fixture
		f = newFixture(t, func(c *journal.Config) {
			c.Rows = 1
			c.Oldest = func() persistence.Instant { return 0 }
			c.Gather = func(rows int) {
				some := owed[:min(rows, len(owed))]
				owed = owed[len(some):]
				for _, name := range some {
					f.add(name, head(name, "1"))
				}
				f.Owe(-len(some))
			}
			c.OnFlush = func(uint64) { synctest.Wait() } // by then what somebody waits for is being logged
		})
		f.slow(time.Minute)
		f.add("group:1", head("group:1", "1"))
		synctest.Wait()
		waiting := f.addWaiting("group:2", head("group:2", "1")) // behind what is being written
		f.Owe(len(owed))
		if err := f.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
		f.wantTold("who waited", waiting, nil)
		for i := range 4 {
			f.wantStored(head(fmt.Sprint("group:", i+1), "").Key, "1")
		}
	})
}

func TestAJournalThatLostAShardIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.addWaiting("group:1", head("group:1", "1"))
		synctest.Wait()
		f.failing(func(persistence.Batch) error { return errDisk })
		flying := f.addWaiting("group:1", head("group:1", "2"))
		synctest.Wait()
		open := f.addWaiting("group:2", head("group:2", "1"))
		if _, err := f.store.Acquire(t.Context(), persistence.ShardOf("group:1")); err != nil {
			t.Fatal(err)
		}
		f.recovered()
		f.advance(time.Hour)
		f.wantTold("the change being written", flying, errUnavailable)
		f.wantTold("the change being written", flying, persistence.ErrFenced)
		f.wantTold("the change after it, of another shard", open, errUnavailable)
		f.wantRefused("group:2", errUnavailable)
		if err := f.Full(); err == nil || !errors.Is(err, conversation.ErrUnavailable) || !errors.Is(err, persistence.ErrFenced) {
			t.Errorf("Full says %v, want ErrUnavailable with ErrFenced behind it", err)
		}
		f.wantStored(head("group:1", "").Key, "1")
		f.wantAbsent(head("group:2", "").Key)
		f.wantPoisoned()
		for range 2 {
			err := f.Close(t.Context())
			lost, ok := errors.AsType[*journal.LostError](err)
			if !ok || lost.Rows != 2 || !errors.Is(err, persistence.ErrFenced) {
				t.Errorf("close: got %v, want a LostError of 2 rows, with ErrFenced behind it", err)
			}
		}
		if len(f.fenced) != 1 || !errors.Is(f.fenced[0], persistence.ErrFenced) {
			t.Errorf("OnFenced: got %v, want ErrFenced, once", f.fenced)
		}
	})
}

func TestCloseMayBeCalledAtAnyMomentByAnyNumber(t *testing.T) {
	for round := range 50 {
		f := newFixture(t, func(c *journal.Config) { c.Interval = time.Microsecond })
		f.store.SetFaults(persistencetest.Faults{AfterCommit: func(persistence.Batch, []persistence.Result) error {
			if round%3 == 0 {
				return errDisk
			}
			return nil
		}})
		var work sync.WaitGroup
		waiters := make([]*waiter, 8*50)
		for i := range 8 {
			work.Go(func() {
				for k := range 50 {
					waiters[i*50+k] = f.addWaiting(fmt.Sprint("group:", k%7), head(fmt.Sprint("group:", k%7), fmt.Sprint(i, k)))
				}
			})
			work.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
				defer cancel()
				err := f.Close(ctx)
				if _, lost := errors.AsType[*journal.LostError](err); err != nil && !lost {
					t.Errorf("close: %v", err)
				}
			})
		}
		work.Wait()
		for _, w := range waiters {
			if told := w.told(); len(told) != 1 || told[0] != nil && !errors.Is(told[0], errUnavailable) {
				t.Fatalf("round %d: a waiter was told %v, want nil or ErrUnavailable, once", round, told)
			}
		}
	}
}
