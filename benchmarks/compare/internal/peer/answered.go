package peer

import (
	"context"
	"sync"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// queued is how many messages may wait to be answered.
const queued = 1 << 16

// answered does nothing with what it is sent.
type answered struct {
	p       side.Params
	speaker *chat.Speaker
}

// OpenAnswered returns a side in which a goroutine answers each message at once. It measures the load and the machine: no side that answers on another goroutine can have less. A round sends Rate posts a second to
// Known conversations, with two collections in the middle. Figures: p50, p99 in milliseconds.
func OpenAnswered(_ context.Context, p side.Params) (side.Side, error) {
	return &answered{p, chat.NewSpeakers(chat.NewPopulation(p.Known, max(1, p.Members)), p.Hot, 1)[0]}, nil
}

// Round implements [side.Side].
func (s *answered) Round(ctx context.Context) (side.Figures, error) {
	load := chat.NewOpen(s.p.Rate, s.p.Window)
	queue := make(chan uint64, queued)
	var group sync.WaitGroup
	group.Go(func() {
		for tag := range queue {
			load.Done(tag, false)
		}
	})
	err := load.Run(ctx, s.speaker, chat.Collections, func(p *actors.Proposal, _ int) { queue <- p.Tag })
	close(queue)
	group.Wait()
	return load.Figures(), err
}

// Close implements [side.Side].
func (*answered) Close() error { return nil }
