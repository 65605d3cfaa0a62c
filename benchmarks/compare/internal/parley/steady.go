package parley

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// steady proposes at a rate that does not ask how fast answers come.
type steady struct{ *posts }

// OpenSteady opens what [OpenPosts] does, for one caller. A round proposes Rate posts a second, one by one, at [actors.AckApplied], with two
// collections in the middle. Figures: p50, p99 in milliseconds; refused, of all, in per cent.
func OpenSteady(ctx context.Context, p side.Params) (side.Side, error) {
	opened, err := OpenPosts(ctx, p)
	if err != nil {
		return nil, err
	}
	return &steady{opened.(*posts)}, nil //nolint:errcheck,forcetypeassert // OpenPosts returns no other
}

// Round implements [side.Side].
func (s *steady) Round(ctx context.Context) (side.Figures, error) {
	chat.Rest()
	load := chat.NewOpen(s.p.Rate, s.p.Window)
	answered := func(r *actors.Reply) { load.Done(r.Tag, r.Err != nil) }
	if err := load.Run(ctx, s.speakers[0], chat.Collections, func(p *actors.Proposal, _ int) { s.engine.ProposeFunc(p, answered) }); err != nil {
		return nil, err
	}
	return load.Figures(), s.settle(ctx)
}
