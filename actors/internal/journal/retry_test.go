package journal_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// kindsOfFailure are the ways in which a commit can fail as a whole: with nothing, a part, or all of it written.
func kindsOfFailure(fails func() bool) map[string]persistencetest.Faults {
	why := func() error {
		if fails() {
			return errDisk
		}
		return nil
	}
	return map[string]persistencetest.Faults{
		"before it has any effect": {BeforeCommit: func(persistence.Batch) error { return why() }},
		"half way": {BeforeGroup: func(batch persistence.Batch, i int) error {
			if i == len(batch.Groups)/2 {
				return why()
			}
			return nil
		}},
		"after all of its effect": {AfterCommit: func(persistence.Batch, []persistence.Result) error { return why() }},
	}
}

func TestABatchOfUnknownOutcomeIsWrittenAgainUnchanged(t *testing.T) {
	for how := range kindsOfFailure(nil) {
		t.Run("failed "+how, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				var failures atomic.Int64
				failures.Store(2)
				if how != "half way" { // which is not how a Log fails
					failures.Add(1)
				}
				f.store.SetFaults(kindsOfFailure(func() bool { return failures.Add(-1) >= 0 })[how])
				seq := f.add("group:1", head("group:1", "1"), deleted(tail("group:1", ""))) // nobody waits: it is not logged before the other is there
				other := f.addWaiting("group:2", head("group:2", "1"))
				first := f.wait("group:1", seq)
				synctest.Wait()
				if how != "half way" {
					f.wantWaiting("a change of unknown outcome", first)
				}
				second := f.addWaiting("group:1", head("group:1", "2"))
				f.wantLookup("meanwhile", "2", "-", "-")
				f.advance(time.Second)
				f.wantTold("the change", first, nil)
				f.wantTold("the other change", other, nil)
				f.wantTold("the change after it", second, nil)
				unchanged := lines(head("group:1", "1"), deleted(tail("group:1", "")), head("group:2", "1"))
				f.wantTried(unchanged, unchanged, unchanged, lines(head("group:1", "2")))
				f.wantStored(head("group:1", "").Key, "2")
				if got := f.Stats().Failed; got != 2 {
					t.Errorf("Stats.Failed: got %d, want 2", got)
				}
			})
		})
	}
}

func TestAStoreThatFailsForAMinuteCostsNothingButTime(t *testing.T) {
	for how := range kindsOfFailure(nil) {
		for _, conversations := range []int{1, 2, 3, 50} {
			t.Run(fmt.Sprintf("%s, with %d conversations", how, conversations), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					began := time.Now()
					down := func() bool { return time.Since(began) < time.Minute }
					f.store.SetFaults(kindsOfFailure(down)[how])
					var waiters []*waiter
					round := 0
					for down() {
						round++
						for _, name := range names(conversations) {
							waiters = append(waiters, f.addWaiting(name, head(name, fmt.Sprint(round)), tail(name, fmt.Sprint(round))))
						}
						f.advance(700 * time.Millisecond)
					}
					f.advance(3 * time.Second)
					for i, w := range waiters {
						f.wantTold(fmt.Sprint("change ", i), w, nil)
					}
					for _, name := range names(conversations) {
						f.wantStored(head(name, "").Key, fmt.Sprint(round))
						f.wantStored(tail(name, "").Key, fmt.Sprint(round))
					}
					f.wantPoisoned()
					if !slices.IsSorted(f.flushed) || len(slices.Compact(slices.Clone(f.flushed))) != len(f.flushed) {
						t.Errorf("flushes: got %v, want them in order, each once", f.flushed)
					}
					// It waits longer and longer, and does not try each conversation by itself each time.
					if got := len(f.tried()); got > 600 {
						t.Errorf("a store that is down was asked %d times in a minute", got)
					}
				})
			})
		}
	}
}

func TestValuesNeverGoBackInTheStore(t *testing.T) {
	inBubble(t, func(f *fixture) {
		n := 0
		var history []string
		faults := kindsOfFailure(func() bool { n++; return n%3 != 0 })["after all of its effect"]
		next := faults.AfterCommit
		faults.AfterCommit = func(batch persistence.Batch, results []persistence.Result) error {
			value, _ := f.stored(head("group:1", "").Key)
			history = append(history, value)
			return next(batch, results)
		}
		f.store.SetFaults(faults)
		for i := range 200 {
			f.add("group:1", head("group:1", fmt.Sprintf("%03d", i)))
			f.advance(7 * time.Millisecond)
		}
		f.advance(time.Minute)
		if !slices.IsSorted(history) || history[len(history)-1] != "199" {
			t.Errorf("values as they were written: %q, want them to grow up to 199", history)
		}
	})
}

// The store takes half of a batch and fails from then on: that says nothing about the other half.
func TestARecordIsNotBlamedForAStoreThatFailsAgain(t *testing.T) {
	inBubble(t, func(f *fixture) {
		began := time.Now()
		failures, successes := 0, 0
		f.failing(func(batch persistence.Batch) error {
			if failures >= 4 && successes == 0 && len(batch.Groups) == 1 {
				successes++
				return nil
			}
			if failures++; time.Since(began) < time.Minute {
				return errDisk
			}
			return nil
		})
		waiters := []*waiter{f.addWaiting("group:1", head("group:1", "1")), f.addWaiting("group:2", head("group:2", "1"))}
		f.advance(time.Minute + 3*time.Second)
		if successes != 1 {
			t.Fatal("half of the batch was never written by itself")
		}
		f.wantPoisoned()
		for i, name := range []string{"group:1", "group:2"} {
			f.wantTold(name, waiters[i], nil)
			f.wantStored(head(name, "").Key, "1")
		}
	})
}

func TestAConversationThatTheStoreTookInPartsHasItsLastValues(t *testing.T) {
	inBubble(t, func(f *fixture) {
		// group:bad fails until others have come and were written; group:1 is written before that, and changes meanwhile.
		f.failing(refusing("group:bad"))
		first := f.addWaiting("group:1", head("group:1", "1"))
		bad := f.addWaiting("group:bad", head("group:bad", "1"))
		synctest.Wait()
		var later []*waiter
		for i := range 50 {
			later = append(later, f.addWaiting("group:1", head("group:1", fmt.Sprint(i+2)), membership(fmt.Sprint("user", i), "group:1", "m")))
			f.advance(20 * time.Millisecond)
		}
		f.advance(time.Minute)
		f.wantTold("the first change", first, nil)
		f.wantTold("the change that the store does not take", bad, errQuarantined)
		f.wantStored(head("group:1", "").Key, "51")
		for i, w := range later {
			f.wantTold(fmt.Sprint("change ", i+2), w, nil)
			f.wantStored(membership(fmt.Sprint("user", i), "group:1", "").Key, "m")
		}
		if diff := cmp.Diff([]string{"-"}, f.lookup("group:1", head("group:1", ""))); diff != "" {
			t.Errorf("in the journal at last: -want +got:\n%s", diff)
		}
	})
}
