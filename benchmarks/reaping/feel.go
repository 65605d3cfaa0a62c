package reaping

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// Load is what [Feel] has proposals feel.
type Load struct {
	Rate     int           // posts a second, each committed
	Expiring int           // conversations of two members that expire, a second
	Phase    time.Duration // how long it is quiet, and then how long conversations expire
	Unpaced  bool          // nothing holds the reaper back
}

// Felt is what they felt.
type Felt struct {
	Quiet, During *Latencies // of the posts: before conversations expire, and while they do
	Late          *Latencies // of deletions, from the deadline until it was durable
	Rows          float64    // deleted a second, while conversations expire
	Refused       int64      // posts, as the engine was overloaded
}

const (
	// Lead is how long after the clock goes on the load warms up.
	Lead = time.Second
	// slot is the step in which conversations expire: each has a namespace of its own.
	slot = 20 * time.Millisecond
	// justBefore is when measuring ends, before what is measured next begins.
	justBefore = 10 * time.Millisecond
	// goneWithin is how long everything may take to be deleted.
	goneWithin = 5 * time.Minute
)

// Feel has conversations expire at a steady rate while posts are proposed at another, on a store in dir whose every commit is fsynced. dir must be
// empty or absent, and is left behind. It takes twice the phase, two seconds, and the time to make the conversations before and to delete what is left
// after.
func Feel(ctx context.Context, dir string, load Load) (felt *Felt, err error) {
	felt = &Felt{Late: NewLatencies()}
	var gone atomic.Int64
	at := NewWaitingClock()
	slots := max(1, int(load.Phase/slot))
	namespaces := map[string]conversation.Policy{}
	for s := range slots {
		namespaces[fmt.Sprint("slot", s)] = conversation.Policy{ExpireAfter: load.Phase + Lead + time.Duration(s)*slot}
	}
	config := actors.Config{Clock: at, Namespaces: namespaces, Observer: &actors.Observer{Expired: func(i actors.ExpiredInfo) {
		felt.Late.Record(i.Lateness, 1)
		gone.Add(1)
	}}}
	if load.Unpaced {
		config.Reaper.MaxRowsPerSecond = -1
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	engine, err := actors.Start(ctx, nil, store, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()
	n := int(float64(load.Expiring) * load.Phase.Seconds())
	if err := Fill(ctx, engine, n, 2, func(i int) string { return fmt.Sprintf("slot%d:%d", i%slots, i) }); err != nil {
		return nil, err
	}
	at.GoOn()
	talk := StartTalk(ctx, engine, load.Rate)
	measured := felt.measure(ctx, engine, talk, load.Phase)
	deleted := AwaitGone(ctx, &gone, n)
	_, ended := talk.End()
	felt.Refused = talk.Refused()
	return felt, errors.Join(measured, deleted, ended)
}

// measure takes what posts felt in the quiet phase and in the other.
func (f *Felt) measure(ctx context.Context, engine *actors.Engine, talk *Talk, phase time.Duration) error {
	if err := pass(ctx, Lead-justBefore); err != nil {
		return err
	}
	talk.Measure()
	if err := pass(ctx, phase); err != nil {
		return err
	}
	f.Quiet = talk.Measure()
	before := engine.Stats().Reaper.Rows
	err := pass(ctx, phase)
	f.During = talk.Measure()
	f.Rows = float64(engine.Stats().Reaper.Rows-before) / phase.Seconds()
	return err
}

// pass lets time pass.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// AwaitGone waits until so many were deleted, but not for more than five minutes.
func AwaitGone(ctx context.Context, gone *atomic.Int64, n int) error {
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	for int(gone.Load()) < n {
		if err := pass(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("reaping: %d of %d were deleted: %w", gone.Load(), n, err)
		}
	}
	return nil
}
