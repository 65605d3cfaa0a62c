package journal_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

func (f *fixture) wantWhen(what string, w *waiter, began, ended time.Time) {
	f.Helper()
	instant := func(at time.Time) persistence.Instant {
		if at.IsZero() {
			return 0
		}
		return persistence.InstantOf(at)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if want := (journal.Written{Began: instant(began), Ended: instant(ended)}); len(w.when) != 1 || w.when[0] != want {
		f.Errorf("%s: the waiter was told %+v, want %+v, once", what, w.when, want)
	}
}

func TestAWaiterIsToldWhenItsBatchBeganAndEnded(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.slow(10 * time.Millisecond)
		start := time.Now()
		first := f.addWaiting("group:1", head("group:1", "1"))
		f.advance(4 * time.Millisecond)
		second := f.addWaiting("group:1", head("group:1", "2"))
		f.advance(time.Second)
		f.wantWhen("the change that is written at once", first, start, start.Add(10*time.Millisecond))
		f.wantWhen("the change that waits for that", second, start.Add(10*time.Millisecond), start.Add(20*time.Millisecond))
	})
}

func TestABatchBeginsWithItsFirstAttempt(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(persistence.Batch) error { return errDisk })
		start := time.Now()
		var told time.Time
		w := &waiter{check: func() { told = time.Now() }}
		f.Add("group:1", persistence.ShardOf("group:1"), []conversation.Write{head("group:1", "1")}, w)
		f.advance(3 * time.Second)
		f.recovered()
		f.advance(3 * time.Second)
		f.wantWhen("the change", w, start, told)
	})
}

func TestWhoDoesNotWaitIsToldNoTimes(t *testing.T) {
	inBubble(t, func(f *fixture) {
		seq := f.add("group:1", head("group:1", "1"))
		f.advance(interval)
		f.wantWhen("what is in the store already", f.wait("group:1", seq), time.Time{}, time.Time{})
	})
}

func TestWhoIsToldOfAFullStoreIsToldWhenItBeganToBeTried(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(persistence.Batch) error { return persistence.ErrStoreFull })
		start := time.Now()
		w := f.addWaiting("group:1", head("group:1", "1"))
		f.advance(time.Millisecond)
		f.wantWhen("the change", w, start, time.Time{})
		f.recovered()
	})
}
