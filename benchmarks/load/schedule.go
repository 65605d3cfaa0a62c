package load

import (
	"math"
	"math/rand/v2"
	"time"
)

// schedule plans calls. What it plans depends on nothing that happens.
type schedule struct {
	gap    float64 // mean seconds between two calls
	random *rand.Rand
	n      float64 // calls planned
	at     float64 // seconds
}

func newSchedule(c *Config) *schedule {
	s := &schedule{gap: float64(c.Batch) / c.Rate}
	if c.Arrivals == Poisson {
		s.random = rand.New(rand.NewPCG(c.Seed, c.Seed^0x2545f4914f6cdd1d))
	}
	return s
}

// next returns when the next call is planned, since the beginning.
func (s *schedule) next() time.Duration {
	if s.random != nil {
		s.at += s.random.ExpFloat64() * s.gap
	} else {
		s.at = s.n * s.gap // not step by step, which would drift
		s.n++
	}
	return time.Duration(math.Round(s.at * float64(time.Second)))
}
