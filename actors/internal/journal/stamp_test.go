package journal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// stamped adds a change with a stamp.
func (f *fixture) stamped(at persistence.Instant, name string, writes ...conversation.Write) uint64 {
	return f.AddNoted(name, persistence.ShardOf(name), writes, journal.Note{Stamp: at}, nil)
}

func (f *fixture) wantStamp(when string, want persistence.Instant) {
	f.Helper()
	if got := f.Stamp(); got != want {
		f.Errorf("%s: the lowest stamp is %d, want %d", when, got, want)
	}
}

func TestTheStampIsTheLowestOfWhatIsNotInTheStore(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.wantStamp("at first", persistence.Never)
		f.add("group:1", head("group:1", "0"))
		f.wantStamp("with a change that has none", persistence.Never)
		f.stamped(20, "group:1", head("group:1", "1"))
		f.wantStamp("with one", 20)
		f.stamped(10, "group:2", head("group:2", "1"))
		f.stamped(30, "group:1", head("group:1", "2"))
		f.wantStamp("with three, in no order", 10)

		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		f.wantStamp("while they are written", 10)
		f.stamped(5, "group:1", head("group:1", "3"))
		f.wantStamp("with an earlier one behind", 5)
		release()
		f.wantStamp("once the first are in the store", 5)
		f.advance(interval)
		f.wantStamp("once all is in the store", persistence.Never)
	})
}

func TestAStampStaysUntilAFailingWriteSucceeds(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(persistence.Batch) error { return errDisk })
		f.stamped(10, "group:1", head("group:1", "1"))
		f.advance(time.Minute)
		f.wantStamp("while the store fails", 10)
		f.stamped(20, "group:2", head("group:2", "1"))
		f.advance(time.Minute)
		f.wantStamp("with another", 10)
		f.recovered()
		f.advance(time.Minute)
		f.wantStamp("once it recovered", persistence.Never)
		f.wantStored(head("group:1", "").Key, "1")
	})
}

func TestABatchBehindOneThatFailsHasItsStampAndItsRows(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(persistence.Batch) error { return errDisk })
		f.stamped(20, "group:1", head("group:1", "1"), entry("ann", 20, "group:1"))
		f.advance(time.Minute)
		f.stamped(10, "group:2", head("group:2", "1"), entry("ann", 10, "group:2"))
		f.advance(time.Minute)
		release := f.hold(nil)
		f.advance(time.Minute)
		f.wantStamp("meanwhile", 10)
		if n := f.Stats().Rows; n != 4 {
			t.Errorf("%d rows are on their way, want 4", n)
		}
		if got := f.UserRows("ann", everything); len(got) != 2 {
			t.Errorf("ann's rows are %q, want both entries", got)
		}
		release()
		f.advance(time.Minute)
		f.wantStored(head("group:1", "").Key, "1")
		f.wantStored(head("group:2", "").Key, "1")
		f.wantStamp("at last", persistence.Never)
	})
}

func TestWhatWasDroppedHoldsBackNoStamp(t *testing.T) {
	inBubble(t, func(f *fixture) {
		release := f.hold(refusing("group:bad"))
		f.addWaiting("group:0", head("group:0", "1"))
		synctest.Wait()
		f.stamped(10, "group:bad", head("group:bad", "1"), entry("ann", 10, "group:bad"))
		f.stamped(20, "group:1", head("group:1", "1"))
		release()
		f.advance(time.Minute)
		f.wantPoisoned("group:bad")
		f.wantStamp("at last", persistence.Never)
		if got := f.UserRows("ann", everything); len(got) != 0 {
			t.Errorf("of what was dropped, readers find %q", got)
		}
		if seq := f.stamped(5, "group:bad", head("group:bad", "2")); seq != 0 {
			t.Errorf("a change of it was taken as part of batch %d", seq)
		}
		f.wantStamp("with a change that was not taken", persistence.Never)
	})
}

func TestABatchThatWasClosedEarlyKeepsItsStampAndItsRows(t *testing.T) {
	inBubble(t, func(f *fixture) {
		release := f.hold(nil)
		f.addWaiting("group:2", head("group:2", "1"))
		f.advance(time.Millisecond)
		var last uint64
		for join := range 11 {
			last = f.stamped(persistence.Instant(100+join), "group:1", append(joins("group:1", 1000*join), entry("ann", persistence.Instant(100+join), "group:1"))...)
		}
		if last < 3 {
			t.Fatalf("all is in batch %d", last)
		}
		f.wantStamp("with closed batches", 100)
		if got := f.UserRows("ann", everything); len(got) != 11 {
			t.Errorf("readers find %d of ann's rows, want 11", len(got))
		}
		f.stamped(200, "group:1", deleted(entry("ann", 100, "group:1")))
		if got := f.UserRows("ann", everything); len(got) != 10 {
			t.Errorf("with one deleted again, readers find %d of ann's rows, want 10", len(got))
		}
		release()
		f.advance(time.Second)
		f.wantStamp("at last", persistence.Never)
	})
}
