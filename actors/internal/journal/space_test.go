package journal_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func full(persistence.Batch) error { return fmt.Errorf("commit: %w", persistence.ErrStoreFull) }

func TestWhoeverWaitsForAFullStoreIsToldAtOnceAndItsRowsLandWhenThereIsSpace(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(full)
		first := f.addWaiting("group:1", head("group:1", "1"))
		synctest.Wait()
		f.wantTold("the change", first, persistence.ErrStoreFull)
		f.wantTold("the change", first, conversation.ErrOverloaded)
		if err := f.Full(); err == nil || !errors.Is(err, conversation.ErrOverloaded) || !errors.Is(err, persistence.ErrStoreFull) || err.RetryAfter <= 0 {
			t.Errorf("Full says %v, want an ErrOverloaded that says when to try again, with ErrStoreFull behind it", err)
		}
		// What was accepted before goes into the next batch: with the next attempt, that is told as well.
		second := f.addWaiting("group:2", head("group:2", "1"))
		third := f.wait("group:1", 1)
		f.advance(10 * time.Millisecond)
		f.wantTold("a change behind it", second, persistence.ErrStoreFull)
		f.wantTold("one who asks again", third, persistence.ErrStoreFull)
		f.wantLookup("meanwhile", "1", "-", "-")

		f.advance(time.Minute)
		f.wantPoisoned()
		f.wantAbsent(head("group:1", "").Key)
		f.recovered()
		f.advance(2 * time.Second)
		if err := f.Full(); err != nil {
			t.Errorf("with space again: %v", err)
		}
		f.wantStored(head("group:1", "").Key, "1")
		f.wantTold("the change, still once", first, persistence.ErrStoreFull)
		f.advance(interval)
		f.wantStored(head("group:2", "").Key, "1")
	})
}

// Around the reserve, a store takes one commit and not the next. No record is to blame for that.
func TestARecordIsNotBlamedForAStoreThatIsFull(t *testing.T) {
	inBubble(t, func(f *fixture) {
		large := string(make([]byte, 1000))
		f.failing(func(batch persistence.Batch) error {
			for i := range batch.Groups {
				for _, put := range batch.Groups[i].Puts {
					if len(put.Value) == len(large) {
						return full(batch)
					}
				}
			}
			return nil
		})
		f.add("group:1", head("group:1", "1"))
		f.add("group:large", head("group:large", large))
		for i := range 60 {
			f.add(fmt.Sprint("group:", i), tail("group:1", "1"))
			f.advance(time.Second)
		}
		f.wantPoisoned()
		f.recovered()
		f.advance(3 * time.Second)
		f.wantStored(head("group:large", "").Key, large)
		f.wantStored(head("group:1", "").Key, "1")
	})
}
