package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

const day = 24 * time.Hour

func TestASteppedWallClockIsSeenByTheClocksThatAreMadeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var machine clock.Machine
		running := machine.System()
		began := running.Now()
		for _, step := range []time.Duration{day, -2 * day} {
			machine.StepWall(step)
			if got := running.Now(); !got.Equal(began) {
				t.Errorf("a step of %v moved a clock that runs by %v", step, got.Sub(began))
			}
		}
		if got := machine.System().Now().Sub(began); got != -day {
			t.Errorf("a clock made after steps of a day and minus two starts %v off, want minus a day", got)
		}
	})
}

func TestASuspensionCountsForClocksAndStopsTheirTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var machine clock.Machine
		before := machine.System()
		began := before.Now()
		fired := make(chan struct{})
		before.AfterFunc(time.Hour, func() { close(fired) })
		time.Sleep(time.Second) // virtual: some time awake
		machine.Suspend(day)
		after := machine.System()
		if got := before.Now().Sub(began); got != day+time.Second {
			t.Errorf("after a day of suspension the clock went on by %v", got)
		}
		if got := after.Now(); !got.Equal(before.Now()) {
			t.Errorf("a clock made after the suspension shows %v, the other %v", got, before.Now())
		}
		synctest.Wait()
		select {
		case <-fired:
			t.Errorf("a timer fired while the machine was suspended")
		default:
		}
		select {
		case <-fired:
		case <-time.After(30*time.Second + time.Millisecond): // virtual: by so much a timer may be late
			t.Errorf("30 seconds after the machine woke, a timer that was due has not fired")
		}
	})
}
