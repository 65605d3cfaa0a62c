package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// deadline is when a generation is over, if nothing happens in it after now; Never where it does not expire.
func (p Policy) deadline(name string, h *persistence.Head, now persistence.Instant) persistence.Instant {
	if h.Held || (p.KeepPinned && h.Pins > 0) {
		return persistence.Never
	}
	deadline := persistence.Never
	for _, retention := range [...]struct {
		from persistence.Instant
		is   time.Duration
	}{{h.Activity, p.ExpireAfter}, {now, p.ExpireIdle}, {h.Born, p.ExpireAge}} {
		if retention.is > 0 {
			deadline = min(deadline, retention.from.Add(retention.is))
		}
	}
	if p.ExpireJitter > 0 && deadline != persistence.Never {
		deadline = deadline.Add(p.jitter(name, h.Generation))
	}
	return deadline
}

// jitter is a generation's own: drawn anew with each change, it would let deadlines creep.
func (p Policy) jitter(name string, generation persistence.Generation) time.Duration {
	return time.Duration((persistence.Hash(name) + uint64(generation)) % uint64(p.ExpireJitter))
}
