package actors_test

import (
	"errors"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

var errFire = errors.New("store failure")

// pause lets time go by.
func (f *fire) pause() {
	f.tally.add("pause")
	f.Advance(f.upTo("pause", 2*time.Second))
}

// heal ends what is wrong with the store.
func (f *fire) heal() {
	f.Heal()
	f.deaf, f.worn = false, false
}

// accident has something go wrong.
func (f *fire) accident() {
	switch f.one("accident", 8) {
	case 0, 1:
		f.tally.add("commits fail")
		f.failCommits()
	case 2:
		f.tally.add("reads fail")
		f.failReads()
	case 3:
		f.tally.add("a minute without the store")
		f.heal()
		f.worn = true
		f.BreakFor(time.Minute, actorstest.WritesFail(nil))
	case 4:
		f.tally.add("restart")
		f.heal()
		f.Restart()
	case 5:
		f.tally.add("crash")
		f.crash()
	default:
		f.tally.add("crash at a step")
		f.crashAtAStep()
	}
}

// failCommits has some commits fail before they have any effect, in the middle, or once they had all of it.
func (f *fire) failCommits() {
	rate, random := f.one("rate", 101), f.source()
	coin := func() error {
		if random()*100 < float64(rate) {
			return errFire
		}
		return nil
	}
	faults := persistencetest.Faults{Latency: func(persistencetest.Op) time.Duration { return 3 * time.Millisecond }}
	switch f.one("when", 3) {
	case 0:
		faults.BeforeCommit = func(persistence.Batch) error { return coin() }
	case 1:
		faults.BeforeGroup = func(persistence.Batch, int) error { return coin() }
	default:
		faults.AfterCommit = func(persistence.Batch, []persistence.Result) error { return coin() }
	}
	f.heal()
	f.worn = true
	f.Store.SetFaults(faults)
}

// failReads has some snapshots not open, and some reads fail.
func (f *fire) failReads() {
	rate, random := f.one("rate", 60), f.source()
	coin := func() error {
		if random()*100 < float64(rate) {
			return errFire
		}
		return nil
	}
	f.heal()
	f.deaf = true
	f.Store.SetFaults(persistencetest.Faults{
		Snapshot: coin,
		Get:      func([]byte) error { return coin() },
		Scan:     func(persistence.Range, int) error { return coin() },
	})
}

// crash ends the engine, whatever it was about. What it left agrees with itself.
func (f *fire) crash() {
	f.deaf, f.worn = false, false
	f.expired() // what is told later is lost
	f.Crash()
	f.told = len(f.Expired())
	f.Check()
}

// crashAtAStep stops the store before a step of the reaper's or of the journal's, in it, or after it, and ends the engine then: what is found is what a kill there leaves.
func (f *fire) crashAtAStep() {
	f.heal()
	reaper, left, moment := f.one("reaper", 4) > 0, 1+f.one("step", 6), f.one("moment", 3)
	stopped := false // commits come one after the other
	after := false
	step := func(b persistence.Batch) bool {
		if ofReaper(b) == reaper {
			left--
		}
		return left == 0 && ofReaper(b) == reaper
	}
	f.Store.SetFaults(persistencetest.Faults{
		BeforeCommit: func(b persistence.Batch) error {
			switch {
			case stopped:
				return errFire
			case !step(b):
				return nil
			}
			stopped, after = moment != 1, moment == 2
			if moment == 0 {
				return errFire
			}
			return nil
		},
		BeforeGroup: func(b persistence.Batch, index int) error {
			if moment == 1 && left == 0 && ofReaper(b) == reaper && 2*index >= len(b.Groups) {
				stopped = true
			}
			if stopped && !after {
				return errFire
			}
			return nil
		},
		AfterCommit: func(persistence.Batch, []persistence.Result) error {
			if after {
				after = false
				return errFire
			}
			return nil
		},
	})
	f.worn = true
	f.post(f.name())
	f.Advance(f.upTo("until", 12*time.Second))
	f.crash()
}

// order has users forgotten, and policies changed and applied.
func (f *fire) order() {
	if f.one("order", 2) == 0 {
		f.forget(f.user())
		return
	}
	f.heal()
	if f.one("changed", 3) > 0 {
		f.tally.add("policies change")
		f.regime = f.one("regime", len(f.retention["group"]))
		f.Configure(func(c *actors.Config) { c.Namespaces = fireConfig(f.regime, f.retention).Namespaces })
		for name, kept := range f.kept {
			if until := f.lasts(name, kept.touched); until.Before(kept.until) {
				kept.until = until
			}
		}
		if f.one("how", 3) == 0 {
			f.crash()
		} else {
			f.Restart()
		}
	}
	f.tally.add("policies are applied")
	if f.one("fault", 3) == 0 {
		f.failCommits()
	}
	ctx, cancel := withTimeout(f.t, 5*time.Second)
	defer cancel()
	if p, err := f.ApplyPolicies(ctx, "", nil); err != nil && !f.worn {
		f.t.Errorf("apply the policies: %+v: %v", p, err)
	}
}

// forget orders that a user is forgotten. It goes on while other things happen.
func (f *fire) forget(user string) {
	f.tally.add("forget")
	ctx, cancel := withTimeout(f.t, time.Second)
	defer cancel()
	if f.Stats().Forget.Users > 0 {
		return // one that is under way would not mean what was proposed since
	}
	if _, err := f.ForgetUser(ctx, user); err == nil {
		f.forgotten[user] = true
	}
}

// clock steps the wall clock, while the engine runs or across its end, or suspends the machine.
func (f *fire) clock() {
	day := 24 * time.Hour
	step := [...]time.Duration{day, -day, time.Minute, -time.Minute, time.Second, -time.Second}[f.one("by", 6)]
	switch f.one("clock", 5) {
	case 0:
		f.tally.add("the wall clock is stepped")
		f.StepWall(step)
	case 1:
		f.tally.add("the wall clock is stepped across a restart")
		f.heal()
		f.StepWall(step)
		f.Restart()
	case 2:
		f.tally.add("the wall clock is stepped across a crash")
		f.StepWall(step)
		f.crash()
	case 3:
		f.tally.add("a suspension")
		f.Suspend(f.upTo("suspended", 20*time.Second))
	default:
		f.tally.add("a long suspension")
		f.Suspend(f.upTo("suspended", day))
	}
}
