package parley

import (
	"context"
	"sync"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// commits proposes one post to each of many distinct conversations, and waits until they are committed.
type commits struct{ *posts }

// OpenCommits opens what [OpenPosts] does. A round has one post to each of the Known conversations committed, by Callers in batches of Batch. Figures:
// rate, the conversations committed a second; stored, those a second until all of them are in Badger as well.
func OpenCommits(ctx context.Context, p side.Params) (side.Side, error) {
	opened, err := OpenPosts(ctx, p)
	if err != nil {
		return nil, err
	}
	return &commits{opened.(*posts)}, nil //nolint:errcheck,forcetypeassert // OpenPosts returns no other
}

// Round implements [side.Side].
func (s *commits) Round(ctx context.Context) (side.Figures, error) {
	began := time.Now()
	if err := s.commitAll(ctx); err != nil {
		return nil, err
	}
	committed := time.Since(began)
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return side.Figures{
		"rate": float64(s.p.Known) / committed.Seconds(), "stored": float64(s.p.Known) / time.Since(began).Seconds(),
	}, nil
}

func (s *commits) commitAll(ctx context.Context) error {
	var group sync.WaitGroup
	errs := make([]error, len(s.speakers))
	for n, speaker := range s.speakers {
		group.Go(func() {
			var batch []*actors.Proposal
			send := func() bool {
				errs[n] = propose(ctx, s.engine, batch)
				batch = nil
				return errs[n] == nil
			}
			speaker.Each(actors.AckCommitted, func(_ int, p *actors.Proposal) bool {
				batch = append(batch, p)
				return len(batch) < s.p.Batch || send()
			})
			if errs[n] == nil {
				send()
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// callers propose one post at a time each, and wait until it is committed.
type callers struct{ *posts }

// OpenCallers opens what [OpenPosts] does. Each of Callers proposes one post at [actors.AckCommitted] and waits for its reply before the next. Figures:
// rate, the proposals committed a second.
func OpenCallers(ctx context.Context, p side.Params) (side.Side, error) {
	opened, err := OpenPosts(ctx, p)
	if err != nil {
		return nil, err
	}
	return &callers{opened.(*posts)}, nil //nolint:errcheck,forcetypeassert // OpenPosts returns no other
}

// Round implements [side.Side].
func (s *callers) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		p, _ := from.Next(actors.AckCommitted)
		_, err := s.engine.Propose(ctx, p)
		return 1, err
	})
	return side.Figures{"rate": rate}, err
}
