package load

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/workload"
)

// Arrivals is how calls are spread over time.
type Arrivals string

// The ways in which calls arrive.
const (
	// Poisson: at random and independently of one another, as from many users. There are moments with many and such with none.
	Poisson Arrivals = "poisson"
	// Constant: one after the other in equal steps.
	Constant Arrivals = "constant"
)

// Config says at what rate and for how long a load is sent. Only Duration and Rate must be set.
type Config struct {
	// Rate is how many proposals are sent a second.
	Rate float64
	// Arrivals is how they are spread. "": Poisson.
	Arrivals Arrivals
	// Batch is how many proposals travel together: they are planned for one moment, and all are answered when the last of them is. At most actors.MaxBatch. 0: 1.
	Batch int
	// WarmUp is for how long the load runs before it is measured.
	WarmUp time.Duration
	// Duration is for how long it is measured.
	Duration time.Duration
	// Outstanding is how many proposals may be unanswered. What is planned beyond that is dropped. 0: as many as ten seconds bring, at least 10,000.
	Outstanding int
	// DrainFor is how long answers are waited for after the last was sent. 0: 30 s.
	DrainFor time.Duration
	// Coarse has the driver wait by the runtime's timers alone, which may be a millisecond late. Else it waits for the last moment before a call by the system's, in whose time a
	// test on virtual time does not pass.
	Coarse bool
	// Seed is what the schedule is drawn from.
	Seed uint64
	// Progress, where it is not nil, is called on one goroutine: some times a second, and at the end.
	Progress func(Progress)
}

// Progress says how far a run is.
type Progress struct {
	Phase       string        // "preparing", "warm-up", a phase of the workload, or "draining"
	Done, Total time.Duration // of warm-up and measurement; Total is 0 while the run is being prepared
	Prepared    int           // proposals applied before the run
	Preparing   int           // of so many
	Answered    float64       // proposals a second, over the last while
	P99         time.Duration // of what was answered in the last while
	Unanswered  int           // proposals that are under way
	Dropped     uint64        // so far
	Refused     uint64        // so far
}

const (
	defaultDrainFor  = 30 * time.Second
	leastOutstanding = 10_000
	outstandingFor   = 10 // seconds
	maxRate          = 10_000_000
)

func (c Config) withDefaults() Config {
	c.Arrivals, c.Batch, c.DrainFor = cmp.Or(c.Arrivals, Poisson), cmp.Or(c.Batch, 1), cmp.Or(c.DrainFor, defaultDrainFor)
	c.Outstanding = cmp.Or(c.Outstanding, max(leastOutstanding, int(min(c.Rate, maxRate)*outstandingFor)))
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	return c
}

// Validate reports everything that is wrong with c, joined: each is a [*workload.FieldError].
func (c Config) Validate() error {
	c = c.withDefaults()
	var faults []error
	fault := func(field, reason string, values ...any) {
		faults = append(faults, &workload.FieldError{Field: field, Reason: fmt.Sprintf(reason, values...)})
	}
	if !(c.Rate > 0 && c.Rate <= maxRate) { // also what is no number
		fault("rate", "must be more than 0 proposals a second and at most %d, is %v", maxRate, c.Rate)
	}
	if c.Arrivals != Poisson && c.Arrivals != Constant {
		fault("arrivals", "must be %s or %s, is %q", Poisson, Constant, c.Arrivals)
	}
	if c.Batch < 1 || c.Batch > actors.MaxBatch {
		fault("batch", "must be 1 to %d, is %d", actors.MaxBatch, c.Batch)
	}
	if c.WarmUp < 0 {
		fault("warm-up", "must not be negative, is %v", c.WarmUp)
	}
	if c.Duration <= 0 {
		fault("duration", "must be more than 0, is %v", c.Duration)
	}
	if c.Outstanding < c.Batch {
		fault("outstanding", "must be at least the %d of a batch, is %d", c.Batch, c.Outstanding)
	}
	if c.DrainFor < 0 {
		fault("drain-for", "must not be negative, is %v", c.DrainFor)
	}
	return errors.Join(faults...)
}

// until returns how long after its beginning an event of the workload comes in a run; it may be the run's end.
func (c Config) until(w *workload.Workload, event workload.Event) time.Duration {
	for _, p := range w.Phases(c.Duration) {
		if p.Event == event {
			return c.WarmUp + p.Begins
		}
	}
	return c.WarmUp + c.Duration
}
