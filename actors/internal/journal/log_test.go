package journal_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestWhatIsLoggedIsWrittenTogetherOnceAnIntervalIsOver(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for i := range 5 {
			w := f.addWaiting("group:1", head("group:1", fmt.Sprint(i)))
			synctest.Wait()
			f.wantTold("a change", w, nil)
		}
		f.wantTried(lines(head("group:1", "0"))) // nothing was written lately
		f.wantTimers("with something to be written", 1)
		f.advance(interval - time.Nanosecond)
		f.wantTried(lines(head("group:1", "0")))
		f.advance(time.Nanosecond)
		f.wantTried(lines(head("group:1", "0")), lines(head("group:1", "4")))
		f.wantTimers("with all of it written", 0)
		if s := f.Stats(); s.Logs != 5 || s.Flushes != 2 || s.Rows != 0 {
			t.Errorf("%+v, want five that were logged and two that were written", s)
		}
	})
}

func TestWhatIsLoggedIsLoggedBesideAWrite(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return time.Hour
			}
			return time.Millisecond
		}})
		for i := range 3 {
			w := f.addWaiting("group:1", head("group:1", fmt.Sprint(i)))
			f.advance(time.Millisecond)
			f.wantTold("a change", w, nil)
		}
		f.wantLookup("meanwhile", "2", "-", "-")
		f.wantAbsent(head("group:1", "").Key)
		f.advance(3 * time.Hour)
		f.wantStored(head("group:1", "").Key, "2")
		f.recovered()
	})
}

func TestWatchersNeedNotWaitForAnInterval(t *testing.T) {
	told := 0
	inBubble(t, func(f *fixture) {
		for i := range 3 {
			w := &waiter{}
			name := fmt.Sprint("group:", i)
			f.AddNoted(name, persistence.ShardOf(name), []conversation.Write{head(name, "1")}, journal.Note{Kinds: 1}, w)
			synctest.Wait()
			f.wantTold("the change", w, nil)
			f.wantStored(head(name, "").Key, "1")
			if told != i+1 {
				t.Errorf("watchers were told of %d changes, want %d", told, i+1)
			}
		}
	}, func(c *journal.Config) { c.OnCommitted = func(changes []journal.Change) { told += len(changes) } })
}

// While more is logged, all of it rests for far longer than what is not logged may: rows that change often are written seldom.
func TestWhatIsLoggedRestsForLongWhileMoreComes(t *testing.T) {
	const took, most = 100 * time.Millisecond, 200 * time.Millisecond
	inBubble(t, func(f *fixture) {
		f.slowly(took, persistencetest.OpCommit)
		f.addWaiting("group:1", head("group:1", "0"))
		f.advance(took)
		const loggedFor = 10 * time.Second
		for i := range int(loggedFor / interval * 2) {
			w := f.addWaiting("group:1", head("group:1", fmt.Sprint(i)))
			f.advance(interval / 2)
			f.wantTold("a change", w, nil)
		}
		if s := f.Stats(); s.Flushes < uint64(loggedFor/(9*most)) || s.Flushes > uint64(loggedFor/(6*most)) {
			t.Errorf("%d writes in %v, want one in about eight times %v", s.Flushes, loggedFor, most)
		}
		f.advance(interval + took) // nothing more comes
		f.advance(interval + took)
		if s := f.Stats(); s.Rows != 0 {
			t.Errorf("%d rows are not in the store", s.Rows)
		}
	}, func(c *journal.Config) { c.MostInterval = most })
}

// More than three quarters of what the journal may hold are logged and not written: who waits waits for that.
func TestWhoWaitsWaitsForTheStoreWhereTooMuchIsLogged(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slowly(time.Hour, persistencetest.OpCommit)
		large := string(make([]byte, 3800))
		first := f.addWaiting("group:1", head("group:1", large))
		synctest.Wait()
		second := f.addWaiting("group:2", head("group:2", large))
		synctest.Wait()
		third := f.addWaiting("group:3", head("group:3", "1"))
		synctest.Wait()
		f.wantTold("the first", first, nil)
		f.wantTold("the second", second, nil)
		f.wantWaiting("the third", third)
		f.advance(time.Hour)
		f.wantTold("the third", third, nil)
		f.recovered()
		f.advance(2 * time.Hour)
	}, func(c *journal.Config) { c.MaxBytes = 10_000 })
}

// What makes the journal refuse changes is not left to rest.
func TestAJournalThatIsHalfFullIsWrittenAtOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slow(time.Millisecond)
		large := string(make([]byte, 11_000))
		for i := range 3 {
			name := fmt.Sprint("group:", i)
			f.addWaiting(name, head(name, large))
			synctest.Wait()
			if f.Full() == nil {
				t.Error("while it is being written, the journal does not say that it is full")
			}
			f.advance(2 * time.Millisecond)
			f.wantStored(head(name, "").Key, large)
			if err := f.Full(); err != nil {
				t.Errorf("with all of it written: %v", err)
			}
		}
	}, func(c *journal.Config) { c.MaxBytes = 10_000 })
}

func TestWhatNobodyWaitsForIsNotLogged(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.add("group:1", head("group:1", "1"))
		f.advance(interval)
		f.wantLogged()
		f.wantStored(head("group:1", "").Key, "1")
	})
}

// A batch that is being written, and was not logged, has to land before one behind it is durable.
func TestWhatIsBehindAWriteThatWasNotLoggedWaitsForThat(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slow(10 * time.Millisecond)
		f.add("group:1", head("group:1", "1"))
		f.Flush()
		f.advance(time.Millisecond)
		w := f.addWaiting("group:1", tail("group:1", "1"))
		f.advance(8 * time.Millisecond)
		f.wantLogged()
		f.advance(time.Millisecond + 10*time.Millisecond)
		f.wantTold("the change behind it", w, nil)
		f.wantLogged(lines(tail("group:1", "1")))
	})
}
