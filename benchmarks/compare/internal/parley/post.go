package parley

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// posts proposes posts as fast as they are applied.
type posts struct {
	*running

	p        side.Params
	speakers []*chat.Speaker
	window   *chat.Window
	refused  atomic.Int64
}

// OpenPosts opens an engine with Known conversations (from Fixture), Active of them at most active, and all of them warmed up that are spoken in, as
// far as that goes. Callers speak in Hot of them, drawn at random, at [actors.AckApplied]: in batches of Batch, each waiting for its answers, or, where
// that is 0, one by one through [actors.Engine.ProposeFunc], without waiting. Figures: rate, the applied a second; flushed, the same where the time
// includes that all of it is in the store; refused, as overloaded, a second; peak, the bytes resident at most.
func OpenPosts(ctx context.Context, p side.Params) (side.Side, error) {
	r, err := start(ctx, p, badgerstore.Options{}, configFor(p), nil)
	if err != nil {
		return nil, err
	}
	if p.Fixture == "" {
		err = r.fill(ctx)
	}
	active := p.Known
	if p.Active > 0 {
		active = min(active, p.Active*9/10)
	}
	if err == nil && p.Variant != cold {
		err = r.warmUp(ctx, active)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	return newPosts(r, p), nil
}

func newPosts(r *running, p side.Params) *posts {
	return &posts{running: r, p: p, speakers: chat.NewSpeakers(r.people, p.Hot, max(1, p.Callers)), window: chat.NewWindow()}
}

// cold leaves out that conversations are made active beforehand.
const cold = "cold"

// Round implements [side.Side].
func (s *posts) Round(ctx context.Context) (side.Figures, error) {
	chat.Rest()
	s.refused.Store(0)
	began := time.Now()
	rate, err := s.speak(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return side.Figures{
		"rate":    rate,
		"flushed": rate * took.Seconds() / time.Since(began).Seconds(),
		"refused": float64(s.refused.Load()) / took.Seconds(),
		"peak":    chat.PeakMemory(),
	}, nil
}

func (s *posts) speak(ctx context.Context) (float64, error) {
	if s.p.Batch == 0 {
		return s.speakSingly()
	}
	return chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		batch := make([]*actors.Proposal, s.p.Batch)
		from.Batch(batch, actors.AckApplied)
		n, err := s.applied(ctx, batch)
		s.refused.Add(int64(len(batch) - n))
		return n, err
	})
}

// speakSingly returns the rate of those applied: what was refused was dealt with, too, but counts for nothing.
func (s *posts) speakSingly() (float64, error) {
	before := s.window.Count()
	rate := chat.Send(s.speakers, s.window, s.p.Window, func(from *chat.Speaker) {
		p, _ := from.Next(actors.AckApplied)
		s.engine.ProposeFunc(p, s.answered)
	})
	all := float64(s.window.Count() - before)
	return rate * (all - float64(s.refused.Load())) / all, nil
}

func (s *posts) answered(r *actors.Reply) {
	if r.Err != nil {
		s.refused.Add(1)
	}
	s.window.Done()
}
