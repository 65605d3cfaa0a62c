package overload

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/reaping"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// Run finds how much an engine can do, and then measures another one, whose bounds follow from that, on a store whose every commit is fsynced. It takes the phases, one more, and the time to
// begin the conversations, twice.
func Run(ctx context.Context, c Config) (*Result, error) {
	c = c.withDefaults()
	result := &Result{}
	from := newCrowd(c.Conversations, c.Ack)
	var written atomic.Int64
	settings := c.settings()
	settings.Observer = &actors.Observer{FlushEnd: func(i actors.FlushInfo) { written.Add(int64(i.Bytes)) }}
	err := c.with(ctx, settings, func(engine *actors.Engine) (err error) {
		if err = reaping.Fill(ctx, engine, c.Conversations, 2, name); err == nil {
			result.Capacity, err = measureCapacity(ctx, engine, from, c.Phase, &written)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	settings = c.bounded(result.Capacity)
	result.Bounds = settings.Effective()
	err = c.with(ctx, settings, func(engine *actors.Engine) error {
		if err := warm(engine, from); err != nil {
			return err
		}
		for range c.Rounds {
			runtime.GC()
			nominal, err := send(ctx, engine, from, c.Nominal*result.Capacity.Posts, c.Phase)
			if err != nil {
				return err
			}
			runtime.GC()
			watch := startWatch()
			over, err := send(ctx, engine, from, c.Over*result.Capacity.Posts, c.Phase)
			result.Resident = append(result.Resident, watch.end()...)
			if err != nil {
				return err
			}
			result.Nominal, result.Over = append(result.Nominal, nominal), append(result.Over, over)
		}
		return nil
	})
	return result, err
}

// with has an engine on the store for the time of do.
func (c *Config) with(ctx context.Context, settings actors.Config, do func(*actors.Engine) error) (err error) {
	store, err := badgerstore.Open(c.Dir, badgerstore.Options{})
	if err != nil {
		return fmt.Errorf("overload: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	engine, err := actors.Start(ctx, nil, store, settings)
	if err != nil {
		return fmt.Errorf("overload: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()
	return do(engine)
}
