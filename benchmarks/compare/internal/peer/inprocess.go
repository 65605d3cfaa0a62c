package peer

import (
	"context"
	"maps"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// inMemory is what keeps states in this process.
type inMemory interface {
	update(p *actors.Proposal)
	close()
}

// inProcess measures an inMemory.
type inProcess struct {
	p        side.Params
	held     inMemory
	people   *chat.Population
	speakers []*chat.Speaker
	heap     float64
}

func newInProcess(p side.Params, open func() inMemory) *inProcess {
	s := &inProcess{p: p, people: chat.NewPopulation(p.Known, max(1, p.Members))}
	s.speakers = chat.NewSpeakers(s.people, p.Hot, p.Callers)
	before := chat.Heap()
	s.held = open()
	for i := range s.people.Len() {
		s.held.update(s.people.Post(i, 1, actors.AckApplied))
	}
	s.heap = (chat.Heap() - before) / float64(p.Known)
	return s
}

// updatesAtOnce is how many updates a caller makes between two looks at the clock.
const updatesAtOnce = 64

// Round implements [side.Side].
func (s *inProcess) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		for range updatesAtOnce {
			p, _ := from.Next(actors.AckApplied)
			s.held.update(p)
		}
		return updatesAtOnce, nil
	})
	figures := side.Figures{"rate": rate, "heap": s.heap}
	if err != nil || s.p.Rate == 0 {
		return figures, err
	}
	load := chat.NewOpen(s.p.Rate, s.p.Window)
	err = load.Run(ctx, s.speakers[0], chat.Collections, func(p *actors.Proposal, _ int) {
		s.held.update(p)
		load.Done(p.Tag, false)
	})
	maps.Copy(figures, load.Figures())
	return figures, err
}

// Close implements [side.Side].
func (s *inProcess) Close() error {
	s.held.close()
	return nil
}
