package journal_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

var (
	errQuarantined = conversation.ErrQuarantined
	errUnavailable = conversation.ErrUnavailable
)

// refusing returns a fault of commits that hold a row of one of these conversations. It does not tell which.
func refusing(names ...string) func(persistence.Batch) error {
	return func(batch persistence.Batch) error {
		for i := range batch.Groups {
			for _, put := range batch.Groups[i].Puts {
				for _, name := range names {
					if bytes.Equal(put.Key, persistence.HeadKey(name)) {
						return errDisk
					}
				}
			}
		}
		return nil
	}
}

func TestRecordsThatTheStoreDoesNotTakeAreDroppedAndAllOthersLand(t *testing.T) {
	for _, test := range []struct {
		of  int
		bad []int
	}{
		{2, []int{0}},
		{2, []int{1}},
		{3, []int{0, 1}},
		{4, []int{0, 3}}, // one in each half
		{4, []int{1, 2}},
		{100, []int{0}},
		{100, []int{50}},
		{100, []int{99}},
		{100, []int{0, 1, 2, 3}},
		{100, []int{0, 25, 50, 75}},
		{64, []int{0, 8, 16, 24, 32, 40, 48, 56}},
	} {
		t.Run(fmt.Sprintf("%v of %d", test.bad, test.of), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				all := names(test.of)
				var bad []string
				for _, i := range test.bad {
					bad = append(bad, all[i])
				}
				waiters := map[string]*waiter{}
				release := f.hold(refusing(bad...)) // so that they are one batch
				f.addWaiting("group:first", head("group:first", "1"))
				synctest.Wait()
				for _, name := range all {
					waiters[name] = f.addWaiting(name, head(name, "1"), membership("ann", name, "1"))
				}
				release()
				f.advance(time.Minute)
				for _, name := range all {
					if slices.Contains(bad, name) {
						f.wantTold(name, waiters[name], errQuarantined)
						f.wantAbsent(head(name, "").Key)
						f.wantAbsent(membership("ann", name, "").Key)
						f.wantRefused(name, errQuarantined)
						continue
					}
					f.wantTold(name, waiters[name], nil)
					f.wantStored(head(name, "").Key, "1")
				}
				f.wantPoisoned(bad...)
				if got := f.UserRows("ann", everything); len(got) != 0 {
					t.Errorf("in the journal at last: %q, want nothing", got)
				}
				if s := f.Stats(); s.Rows != 0 || s.Bytes != 0 || s.Err != nil {
					t.Errorf("at last: got %+v, want an empty journal without an error", s)
				}
			})
		})
	}
}

func TestARecordAloneInItsBatchIsFoundOutWhenOthersCome(t *testing.T) {
	for _, alone := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(alone), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				bad := names(alone)
				f.failing(refusing(bad...))
				var waiters []*waiter
				for _, name := range bad {
					waiters = append(waiters, f.addWaiting(name, head(name, "1")))
				}
				f.advance(time.Minute)
				// As far as anybody can tell, the store is down.
				for i, w := range waiters {
					f.wantWaiting(bad[i], w)
				}
				f.wantPoisoned()
				other := &waiter{}
				seq := f.Add("group:other", persistence.ShardOf("group:other"), []conversation.Write{head("group:other", "1")}, other)
				f.advance(time.Minute)
				f.wantTold("the other", other, nil)
				if got := f.Flushed(); got != seq {
					t.Errorf("Flushed: got %d, want %d, which the others are part of now", got, seq)
				}
				f.wantStored(head("group:other", "").Key, "1")
				for i, w := range waiters {
					f.wantTold(bad[i], w, errQuarantined)
				}
				f.wantPoisoned(bad...)
			})
		})
	}
}

func TestNothingThatBuildsOnDroppedRowsIsWrittenUntilTheConversationIsReadmitted(t *testing.T) {
	inBubble(t, func(f *fixture) {
		release := f.hold(refusing("group:bad"))
		f.addWaiting("group:0", head("group:0", "1"))
		synctest.Wait()
		f.add("group:1", head("group:1", "1"))
		w := f.addWaiting("group:bad", head("group:bad", "1"))
		release()
		f.advance(70 * time.Millisecond) // three attempts, and the one that divides the batch
		f.wantStored(head("group:1", "").Key, "1")
		f.wantWaiting("the first change", w)
		// In the open batch when the other is dropped.
		later := f.addWaiting("group:bad", tail("group:bad", "2"))
		more := f.addWaiting("group:2", head("group:2", "2"))
		f.advance(time.Minute)
		f.wantTold("the first change", w, errQuarantined)
		f.wantTold("the change after it", later, errQuarantined)
		f.wantTold("another conversation's change beside that", more, nil)
		f.wantAbsent(tail("group:bad", "").Key)
		f.wantStored(head("group:2", "").Key, "2")
		f.wantPoisoned("group:bad")

		f.recovered()
		f.wantRefused("group:bad", errQuarantined)
		f.wantTold("what was dropped is not in the store, though later batches are", f.wait("group:bad", 2), errQuarantined)
		f.wantTold("the same of another conversation", f.wait("group:1", 2), nil)
		if got := f.lookup("group:bad", head("group:bad", ""), tail("group:bad", "")); got[0] != "-" || got[1] != "-" {
			t.Errorf("readers find %q of it, want nothing", got)
		}
		f.Readmit("group:bad")
		again := f.addWaiting("group:bad", head("group:bad", "3"))
		f.advance(time.Second)
		f.wantTold("a change after Readmit", again, nil)
		f.wantStored(head("group:bad", "").Key, "3")
	})
}

func TestAGroupThatTheStoreRefusesIsDroppedAtOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		large := string(make([]byte, persistencetest.MaxGroupBytes))
		f.addWaiting("group:0", head("group:0", "1"))
		synctest.Wait()
		release := f.hold(nil)
		f.addWaiting("group:0", head("group:0", "2"))
		synctest.Wait()
		bad := f.addWaiting("group:bad", head("group:bad", large))
		other := f.addWaiting("group:1", head("group:1", "1"))
		release()
		f.wantTold("a group too large", bad, errQuarantined)
		f.wantTold("a group too large", bad, persistence.ErrGroupTooLarge)
		f.wantTold("the group beside it", other, nil)
		f.wantStored(head("group:1", "").Key, "1")
		f.wantPoisoned("group:bad")
		f.wantRefused("group:bad", errQuarantined)
		if got := len(f.tried()); got != 3 {
			t.Errorf("got %d commits, want 3: there is nothing to try again", got)
		}
		if got := f.Stats().Flushed; got != 3 {
			t.Errorf("Stats.Flushed: got %d, want the 3 rows that were written", got)
		}
	})
}

// Who waited for it was told that it is committed. A store that fails at random may fail one record many times while it takes others.
func TestWhatIsLoggedIsNotGivenUpAsSoonAsWhatIsNot(t *testing.T) {
	for _, failures := range []int{1, 18, 1_000_000} {
		t.Run(fmt.Sprint(failures), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				refuses, left := refusing("group:bad"), failures
				f.store.SetFaults(persistencetest.Faults{BeforeGroup: func(b persistence.Batch, index int) error {
					if err := refuses(persistence.Batch{Groups: b.Groups[index : index+1]}); err != nil && left > 0 {
						if len(b.Groups) == 1 {
							left--
						}
						return err
					}
					return nil
				}})
				f.addWaiting("group:first", head("group:first", "1"))
				synctest.Wait()
				waiters := map[string]*waiter{}
				for _, name := range []string{"group:1", "group:bad", "group:2"} {
					waiters[name] = f.addWaiting(name, head(name, "1"))
				}
				f.advance(time.Second)
				if got := f.lookup("group:bad", head("group:bad", "")); failures > 1 && got[0] != "1" {
					t.Errorf("meanwhile, readers find %q, want 1", got)
				}
				f.advance(10 * time.Minute)
				for name, w := range waiters {
					f.wantTold(name, w, nil)
				}
				f.wantStored(head("group:1", "").Key, "1")
				f.wantStored(head("group:2", "").Key, "1")
				if failures < 20 {
					f.wantPoisoned()
					f.wantStored(head("group:bad", "").Key, "1")
					return
				}
				f.wantPoisoned("group:bad")
				f.wantRefused("group:bad", errQuarantined)
			})
		})
	}
}

// It is alone in its batch, and what is behind that cannot be logged, for there is more of it.
func TestWhatIsLoggedIsFoundOutThoughItIsAlone(t *testing.T) {
	inBubble(t, func(f *fixture) {
		logged := f.addWaiting("group:first", head("group:first", "1"))
		synctest.Wait()
		bad := f.addWaiting("group:bad", head("group:bad", "1"))
		synctest.Wait()
		f.wantTold("the first", logged, nil)
		f.wantTold("what will not be taken", bad, nil)
		f.failing(refusing("group:bad"))
		again := f.addWaiting("group:bad", head("group:bad", "2"))
		others := map[string]*waiter{}
		for _, name := range names(10) {
			others[name] = f.addWaiting(name, head(name, "1"))
		}
		f.advance(5 * time.Minute)
		f.wantTold("what builds on it", again, errQuarantined)
		f.wantPoisoned("group:bad")
		for name, w := range others {
			f.wantTold(name, w, nil)
			f.wantStored(head(name, "").Key, "1")
		}
	})
}

// What was logged is carried out again where the store ends before it knows that all of it is there: it would take back a part of what was written since.
func TestNothingIsWrittenWithWhatIsLoggedThatIsNot(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.store.SetFaults(persistencetest.Faults{BeforeGroup: func(_ persistence.Batch, index int) error {
			if index > 0 {
				return errDisk // what is before it stays written
			}
			return nil
		}, BeforeCommit: func(b persistence.Batch) error {
			if b.Logged != 0 && len(b.Groups) == 0 {
				return errDisk
			}
			return nil
		}})
		for _, name := range []string{"group:first", "group:1", "group:2"} { // the first one is written at once, and the others rest
			w := f.addWaiting(name, head(name, "1"))
			synctest.Wait()
			f.wantTold(name, w, nil)
		}
		f.add("group:1", head("group:1", "2"), tail("group:1", "2"))
		f.advance(time.Minute)
		f.wantStored(head("group:1", "").Key, "1")
		f.wantAbsent(tail("group:1", "").Key)
		f.recovered()
		f.advance(time.Minute)
		f.wantStored(head("group:1", "").Key, "2")
		f.wantStored(head("group:2", "").Key, "1")
	})
}
