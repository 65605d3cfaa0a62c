package peer

import (
	"context"

	"github.com/maypok86/otter/v2"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// cached keeps states in an otter cache, each with an expiry of its own, which a write renews.
type cached struct{ cache *otter.Cache[string, *state] }

func newCached() (*cached, error) {
	cache, err := otter.New(&otter.Options[string, *state]{ExpiryCalculator: otter.ExpiryWriting[string, *state](retention)})
	if err != nil {
		return nil, err
	}
	return &cached{cache}, nil
}

// update replaces the state, as what a cache hands out must not be changed.
func (c *cached) update(p *actors.Proposal) {
	c.cache.Compute(p.Conversation, func(old *state, found bool) (*state, otter.ComputeOp) {
		next := new(state)
		if found {
			*next = *old
		}
		next.apply(p)
		return next, otter.WriteOp
	})
}

func (c *cached) close() { c.cache.StopAllGoroutines() }

// OpenCached returns a side that does what [OpenSharded]'s does with an otter cache whose entries expire one by one.
func OpenCached(_ context.Context, p side.Params) (side.Side, error) {
	held, err := newCached()
	if err != nil {
		return nil, err
	}
	return newInProcess(p, func() inMemory { return held }), nil
}
