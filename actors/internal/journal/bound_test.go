package journal_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

func TestAJournalIsFullAtItsBoundUntilTheStoreHasTakenEnough(t *testing.T) {
	value := string(make([]byte, 1000))
	inBubble(t, func(f *fixture) {
		release := f.hold(nil)
		f.add("group:1", head("group:1", value))
		f.Flush()
		synctest.Wait() // half of the bound is being written
		if err := f.Full(); err != nil {
			t.Fatalf("at half of its bound: %v", err)
		}
		f.add("group:2", head("group:2", value))
		err := f.Full()
		if err == nil || !errors.Is(err, conversation.ErrOverloaded) || err.RetryAfter <= 0 {
			t.Fatalf("at its bound of %d bytes, with %d: Full says %v, want an ErrOverloaded that says when to try again", f.config.MaxBytes, f.Stats().Bytes, err)
		}
		// What was accepted before is taken all the same.
		over := f.addWaiting("group:3", head("group:3", "accepted before"))
		f.wantWaiting("a change beyond the bound", over)
		release()
		f.wantTold("a change beyond the bound", over, nil)
		if err := f.Full(); err != nil {
			t.Errorf("after all was written: %v", err)
		}
	}, func(c *journal.Config) { c.MaxBytes = 2000 })
}

func TestAChangeThatReplacesAnotherDoesNotFillAJournal(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for range 1000 {
			f.add("group:1", head("group:1", "0123456789"))
		}
		if err := f.Full(); err != nil {
			t.Errorf("with a single row in it: %v", err)
		}
	}, func(c *journal.Config) { c.MaxBytes = 2000 })
}

func TestAFullJournalSaysWhatKeepsTheStore(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(persistence.Batch) error { return errDisk })
		f.add("group:1", head("group:1", string(make([]byte, 3000))))
		f.advance(time.Second)
		f.add("group:2", head("group:2", "1"))
		if err := f.Full(); err == nil || !errors.Is(err, conversation.ErrOverloaded) || !errors.Is(err, errDisk) {
			t.Errorf("Full says %v, want an ErrOverloaded with %v behind it", err, errDisk)
		}
		if err := f.Stats().Err; !errors.Is(err, errDisk) {
			t.Errorf("Stats.Err: got %v, want %v", err, errDisk)
		}
		f.recovered()
		f.advance(2 * time.Second)
		if err := f.Full(); err != nil {
			t.Errorf("after the store had recovered: %v", err)
		}
		if err := f.Stats().Err; err != nil {
			t.Errorf("Stats.Err after the store had recovered: %v", err)
		}
	}, func(c *journal.Config) { c.MaxBytes = 2000 })
}
