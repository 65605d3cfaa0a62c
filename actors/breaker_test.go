package actors

import (
	"testing"
	"time"
)

func TestABatchThatFailsIsHalvedDownToOneGeneration(t *testing.T) {
	b := newBreaker(500, true)
	size := 100
	for _, want := range []int{50, 25, 12, 6, 3, 1, 1} {
		wait := b.failed(size)
		if b.room != want || wait <= 0 || wait > longestBackOff || b.flights() != 1 {
			t.Fatalf("after a batch of %d failed: room for %d, wait %v, %d under way; want %d, one by one", size, b.room, wait, b.flights(), want)
		}
		size = b.room
	}
	for range 9 {
		b.succeeded(time.Millisecond, 0, false)
	}
	if b.room != 0 || b.failures != 0 || b.flights() != pacedFlights {
		t.Errorf("after nine that succeeded: %+v, want no bound", b)
	}
}

func TestABatchThatIsSlowIsHalvedAndGrowsAgain(t *testing.T) {
	b := newBreaker(500, true)
	for _, want := range []int{250, 125, 62, 31, 31} {
		if b.succeeded(time.Second, 0, false); b.rows != want {
			t.Fatalf("after a slow batch: %d rows, want %d", b.rows, want)
		}
	}
	for _, want := range []int{62, 124, 248, 496, 500, 500} {
		if b.succeeded(time.Millisecond, 0, false); b.rows != want {
			t.Fatalf("after a fast batch: %d rows, want %d", b.rows, want)
		}
	}
	tiny := newBreaker(1, true)
	if tiny.succeeded(time.Minute, 0, false); tiny.rows != 1 {
		t.Errorf("a batch of one row becomes one of %d", tiny.rows)
	}
}

func TestABatchIsNotSlowWhereTheStoreIs(t *testing.T) {
	b := newBreaker(500, true)
	if b.succeeded(time.Second, 500*time.Millisecond, false); b.rows != 500 {
		t.Errorf("a batch takes a second where the journal's take half of that: %d rows, want 500", b.rows)
	}
	if b.succeeded(3*time.Second, 500*time.Millisecond, false); b.rows != 250 {
		t.Errorf("a batch takes three seconds where the journal's take half of one: %d rows, want 250", b.rows)
	}
}

func TestLateDeletionsGoInLargerBatchesHoweverLongTheyTake(t *testing.T) {
	b := newBreaker(500, true)
	b.rows = 31
	for _, want := range []int{62, 124, 248, 496, 992, 1984, 2000, 2000} {
		if b.succeeded(time.Second, 0, true); b.rows != want {
			t.Fatalf("late: %d rows, want %d", b.rows, want)
		}
	}
	if b.succeeded(time.Millisecond, 0, false); b.rows != 500 {
		t.Errorf("in time again: %d rows, want 500", b.rows)
	}
}

func TestABackOffIsShortEnoughForWhatIsPromisedAfterAnOutage(t *testing.T) {
	for n := 1; n < 10_000; n = n*2 + 1 {
		if d := backOff(n, longestBackOff); d > longestBackOff || d < 25*time.Millisecond {
			t.Errorf("after %d failures it waits %v", n, d)
		}
	}
}
