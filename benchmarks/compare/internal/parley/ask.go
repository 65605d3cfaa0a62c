package parley

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// asks proposes and waits for each answer.
type asks struct{ *posts }

// OpenAsks opens what [OpenPosts] does. Each caller proposes one post at [actors.AckApplied] and waits for its reply before the next. Figures: took,
// the nanoseconds from one to the next.
func OpenAsks(ctx context.Context, p side.Params) (side.Side, error) {
	opened, err := OpenPosts(ctx, p)
	if err != nil {
		return nil, err
	}
	return &asks{opened.(*posts)}, nil //nolint:errcheck,forcetypeassert // OpenPosts returns no other
}

// Round implements [side.Side].
func (s *asks) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		p, _ := from.Next(actors.AckApplied)
		_, err := s.engine.Propose(ctx, p)
		return 1, err
	})
	if err != nil {
		return nil, err
	}
	return side.Figures{"took": 1e9 / rate * float64(len(s.speakers))}, s.settle(ctx)
}
