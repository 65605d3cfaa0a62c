package peer

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// sends sends to one actor, which counts.
type sends struct {
	p        side.Params
	system   *actor.ActorSystem
	hot      *actor.PID
	speakers []*chat.Speaker
	window   *chat.Window
}

// OpenSends returns a side in which Callers send posts to one stock actor that counts them and does nothing else: the most that protoactor can do. The
// posts are made for Hot of Known conversations as on the other side. Figures: rate, the messages a second.
func OpenSends(_ context.Context, p side.Params) (side.Side, error) {
	s := &sends{p: p, system: newSystem(), window: chat.NewWindow()}
	s.speakers = chat.NewSpeakers(chat.NewPopulation(p.Known, max(1, p.Members)), p.Hot, max(1, p.Callers))
	s.hot = s.system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*actors.Proposal); ok {
			s.window.Done()
		}
	}))
	return s, nil
}

// Round implements [side.Side].
func (s *sends) Round(context.Context) (side.Figures, error) {
	return side.Figures{"rate": chat.Send(s.speakers, s.window, s.p.Window, func(from *chat.Speaker) {
		p, _ := from.Next(actors.AckApplied)
		s.system.Root.Send(s.hot, p)
	})}, nil
}

// Close implements [side.Side].
func (s *sends) Close() error {
	err := s.system.Root.PoisonFuture(s.hot).Wait()
	s.system.Shutdown()
	return err
}
