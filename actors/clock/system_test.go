package clock

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheClockStartsAtTheWallTime(t *testing.T) {
	machine := newFakeMachine()
	if got := newSystem(machine.source()).Now(); !got.Equal(machine.wall) || got.Location() != time.UTC {
		t.Fatalf("Now() = %v; want %v in UTC", got, machine.wall)
	}
}

func TestWallStepsChangeNothing(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	start := clock.Now()
	for i, step := range []time.Duration{time.Hour, -24 * time.Hour, 365 * 24 * time.Hour, -time.Nanosecond} {
		machine.stepWall(step)
		machine.run(time.Second)
		if got, want := clock.Now().Sub(start), time.Duration(i+1)*time.Second; got != want {
			t.Fatalf("after a wall step of %v, %v have passed; want %v", step, got, want)
		}
	}
}

func TestSuspendedTimeCounts(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	start := clock.Now()
	var want time.Duration
	for _, asleep := range []time.Duration{time.Minute, 72 * time.Hour, time.Millisecond} {
		machine.suspend(asleep)
		machine.run(rereadAfter)
		want += asleep + rereadAfter
		if got := clock.Now().Sub(start); got != want {
			t.Fatalf("%v after waking from %v, %v have passed; want %v", rereadAfter, asleep, got, want)
		}
	}
}

func TestSuspendedTimeIsReadSeldom(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	for range 10_000 {
		machine.run(time.Millisecond)
		clock.Now()
		clock.Now()
	}
	if most := int(10_000 * time.Millisecond / rereadAfter); machine.readings > most {
		t.Fatalf("20,000 calls within 10 s read the suspended time %d times; want at most %d", machine.readings, most)
	}
}

func TestNowIsTheTimeAwakeAndAsleepAndNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		machine := newFakeMachine()
		clock := newSystem(machine.source())
		start := clock.Now()
		last := start
		var most time.Duration // the longest suspended time there ever was to read
		span := rapid.Int64Range(0, int64(time.Hour))
		t.Repeat(map[string]func(*rapid.T){
			"run":       func(t *rapid.T) { machine.run(time.Duration(span.Draw(t, "run"))) },
			"suspend":   func(t *rapid.T) { machine.suspend(time.Duration(span.Draw(t, "suspend"))) },
			"misread":   func(t *rapid.T) { machine.suspend(-time.Duration(span.Draw(t, "misread"))) },
			"step wall": func(t *rapid.T) { machine.stepWall(time.Duration(rapid.Int64().Draw(t, "step"))) },
			"": func(t *rapid.T) {
				most = max(most, machine.asleep)
				now := clock.Now()
				if now.Before(last) {
					t.Fatalf("Now went back from %v to %v", last, now)
				}
				last = now
				if got := now.Sub(start); got < machine.awake || got > machine.awake+most {
					t.Fatalf("after %v awake and at most %v asleep, %v have passed", machine.awake, most, got)
				}
			},
		})
		machine.run(rereadAfter)
		if got, least := clock.Now().Sub(start), machine.awake+machine.asleep; got < least {
			t.Fatalf("at last %v have passed; want at least %v", got, least)
		}
	})
}

func TestATimerFiresOnceAtItsTime(t *testing.T) {
	for _, d := range []time.Duration{
		math.MinInt64, -time.Second, 0, 1, rereadAfter, longestPiece - 1, longestPiece, longestPiece + 1, 3*longestPiece + time.Second, 720 * time.Hour,
	} {
		machine := newFakeMachine()
		clock := newSystem(machine.source())
		machine.run(time.Hour)
		start := clock.Now()
		var fired []time.Duration
		timer := clock.AfterFunc(d, func() { fired = append(fired, clock.Now().Sub(start)) })
		machine.run(max(0, d) + 10*longestPiece)
		if len(fired) != 1 || fired[0] != max(0, d) {
			t.Errorf("a timer of %v fired after %v", d, fired)
		}
		if timer.Stop() {
			t.Errorf("a timer of %v that fired was stopped", d)
		}
	}
}

func TestATimerIsNeverEarlyAndSoonAfterASuspension(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		machine := newFakeMachine()
		clock := newSystem(machine.source())
		start := clock.Now()
		d := time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "d"))
		const not = time.Duration(-1)
		due, fired := not, not // by the time awake
		clock.AfterFunc(d, func() {
			if fired != not {
				t.Fatal("fired twice")
			}
			fired = machine.awake
			if got := clock.Now().Sub(start); got < d || machine.awake+machine.asleep < d {
				t.Fatalf("a timer of %v was called after %v, %v by the clock", d, machine.awake+machine.asleep, got)
			}
		})
		for fired == not {
			if rapid.Bool().Draw(t, "suspend") {
				machine.suspend(time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "asleep")))
			}
			if due == not && machine.awake+machine.asleep >= d {
				due = machine.awake
			}
			step := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Minute)).Draw(t, "awake"))
			if due == not && machine.awake+machine.asleep+step >= d {
				due = d - machine.asleep
			}
			machine.run(step)
			if due != not && fired == not && machine.awake > due+longestPiece {
				t.Fatalf("a timer of %v has not fired %v after it was due", d, machine.awake-due)
			}
		}
		if late := fired - due; late > longestPiece {
			t.Fatalf("a timer of %v fired %v after it was due; want at most %v", d, late, longestPiece)
		}
	})
}

func TestATimerIsAtMostAPieceLateAfterASuspension(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	fired := false
	clock.AfterFunc(time.Hour, func() { fired = true })
	machine.run(10 * time.Minute)
	machine.suspend(24 * time.Hour)
	machine.run(longestPiece)
	if !fired {
		t.Fatalf("a timer of an hour has not fired %v after a day of suspension", longestPiece)
	}
}

func TestATimerTakesItsOwnReadingOfTheSuspendedTime(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	fired := false
	clock.AfterFunc(time.Hour, func() { fired = true })
	machine.run(longestPiece - time.Millisecond)
	clock.Now() // takes a reading, which is good for some time
	machine.suspend(24 * time.Hour)
	machine.run(time.Millisecond)
	if !fired {
		t.Fatal("a timer whose piece ended just after the machine woke went by an old reading")
	}
}

func TestAStoppedTimerLeavesNothingArmed(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	timer := clock.AfterFunc(time.Hour, func() { t.Error("a stopped timer was called") })
	machine.run(10 * time.Minute)
	if !timer.Stop() {
		t.Fatal("Stop() = false for a timer that waits")
	}
	if n := machine.armed(); n != 0 {
		t.Fatalf("%d timers are armed behind a stopped one", n)
	}
	if timer.Stop() {
		t.Fatal("the second Stop() = true")
	}
	machine.run(2 * time.Hour)
}

func TestStopFromWithinTheCallbackComesTooLate(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	var timer Timer
	stopped := true
	timer = clock.AfterFunc(time.Second, func() { stopped = timer.Stop() })
	machine.run(time.Second)
	if stopped {
		t.Fatal("Stop() = true within the callback")
	}
}

func TestATimerWithoutEndIsArmed(t *testing.T) {
	machine := newFakeMachine()
	clock := newSystem(machine.source())
	machine.run(time.Hour) // so that the deadline is beyond what a Duration holds
	timer := clock.AfterFunc(math.MaxInt64, func() { t.Error("the longest timer was called") })
	machine.run(24 * time.Hour)
	if !timer.Stop() {
		t.Fatal("Stop() = false for a timer of 292 years")
	}
}
