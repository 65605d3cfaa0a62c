package clock

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheMachinesClockTellsTheWallTimeWithoutAMonotonicReading(t *testing.T) {
	before := time.Now()
	now := System().Now()
	if after := time.Now(); now.Before(before.Round(0)) || now.After(after.Round(0)) {
		t.Fatalf("Now() = %v; want between %v and %v", now, before, after)
	}
	if now != now.Round(0) {
		t.Fatalf("Now() = %v carries a monotonic reading", now)
	}
}

func TestNowNeverGoesBackWhoeverAsks(t *testing.T) {
	clock := newSystem(machine())
	var latest atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20_000 {
				seen := latest.Load() // somebody was told this before the next line
				now := clock.Now().UnixNano()
				if now < seen {
					t.Errorf("Now went back by %d ns", seen-now)
					return
				}
				clock.reread()
				for old := latest.Load(); now > old && !latest.CompareAndSwap(old, now); old = latest.Load() {
				}
			}
		})
	}
	group.Wait()
}

func TestAMachineThatNeverSleptLeavesNoTrace(t *testing.T) {
	asleep := suspensions()
	var group sync.WaitGroup
	for range 8 { // more than there are processors: readings are torn apart
		group.Go(func() {
			for range 2_000 {
				if d := asleep(); d != 0 {
					t.Errorf("the machine seems to have slept for %v", d)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestATimerOfTheMachineFires(t *testing.T) {
	clock := System()
	start := clock.Now()
	at := make(chan time.Time)
	clock.AfterFunc(time.Millisecond, func() { at <- clock.Now() })
	if took := (<-at).Sub(start); took < time.Millisecond {
		t.Fatalf("a timer of 1ms fired after %v", took)
	}
}

func TestATimerIsEitherStoppedOrCalled(t *testing.T) {
	clock := System()
	stopped, fired := 0, 0
	for i := range 3_000 {
		called := make(chan struct{})
		timer := clock.AfterFunc(time.Duration(i%100)*time.Microsecond, func() { close(called) })
		var wins atomic.Int32
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				for range i % 50 {
					clock.Now()
				}
				if timer.Stop() {
					wins.Add(1)
				}
			})
		}
		group.Wait()
		if n := wins.Load(); n > 1 {
			t.Fatalf("%d calls of Stop say that they stopped the same timer", n)
		} else if n == 1 {
			stopped++
			select {
			case <-called:
				t.Fatal("a stopped timer was called")
			default:
			}
			continue
		}
		<-called // never comes where a timer was neither stopped nor called
		fired++
	}
	if stopped == 0 || fired == 0 {
		t.Fatalf("%d timers were stopped and %d called: the race was never run", stopped, fired)
	}
}

func TestInABubbleTheClockFollowsTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := System()
		start := clock.Now()
		if !start.Equal(time.Now()) {
			t.Fatalf("Now() = %v in a bubble at %v", start, time.Now())
		}
		var total time.Duration
		for _, d := range []time.Duration{1, time.Microsecond, rereadAfter, time.Hour, 720 * time.Hour} {
			time.Sleep(d) // virtual: what the clock is to follow
			total += d
			if got := clock.Now().Sub(start); got != total {
				t.Fatalf("%v have passed; want %v", got, total)
			}
		}
	})
}

func TestInABubbleTimersFireAtTheirVeryTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := System()
		start := clock.Now()
		for _, d := range []time.Duration{0, 1, time.Second, longestPiece, 720 * time.Hour} {
			clock.AfterFunc(d, func() {
				if got := clock.Now().Sub(start); got != d {
					t.Errorf("a timer of %v fired after %v", d, got)
				}
			})
		}
		stopped := clock.AfterFunc(time.Hour, func() { t.Error("a stopped timer was called") })
		time.Sleep(time.Hour - 1) // virtual: a nanosecond before the timer that is stopped
		if !stopped.Stop() {
			t.Error("Stop() = false a nanosecond before the time")
		}
		time.Sleep(720 * time.Hour) // virtual: to the last timer
	})
}
