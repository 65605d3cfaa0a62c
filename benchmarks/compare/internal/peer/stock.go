package peer

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// stock is an actor for each conversation, as protoactor makes them: its default mailbox and dispatcher, all of them in memory.
type stock struct {
	p        side.Params
	system   *actor.ActorSystem
	people   *chat.Population
	pids     []*actor.PID // kept by whoever sends, which spares the look-up by name
	speakers []*chat.Speaker
	window   *chat.Window
	heap     float64

	// done is called by an actor that has applied a post. It is set while nothing is under way.
	done func(p *actors.Proposal)
}

// OpenStock returns a side with a stock actor for each of the Known conversations, all of which were sent a message before. Callers send posts to Hot of
// them, drawn at random, without waiting for an answer. Figures: rate, the posts a second; heap, the bytes of each actor; gc, the milliseconds of a whole
// collection; peak, the bytes resident at most.
func OpenStock(_ context.Context, p side.Params) (side.Side, error) { return newStock(p), nil }

func newStock(p side.Params) *stock {
	s := &stock{p: p, window: chat.NewWindow(), people: chat.NewPopulation(p.Known, max(1, p.Members))}
	s.speakers = chat.NewSpeakers(s.people, p.Hot, max(1, p.Callers))
	s.done = func(*actors.Proposal) { s.window.Done() }
	before := chat.Heap()
	s.system = newSystem()
	s.pids = make([]*actor.PID, p.Known)
	props := actor.PropsFromProducer(func() actor.Actor { return &stockActor{home: s} })
	for i := range s.pids {
		s.pids[i] = s.system.Root.Spawn(props)
	}
	s.sendAll()
	s.heap = (chat.Heap() - before) / float64(p.Known)
	return s
}

// sendAll sends each actor its first post, and returns once all were applied.
func (s *stock) sendAll() {
	applied := make(chan struct{}, len(s.pids))
	usual := s.done
	s.done = func(*actors.Proposal) { applied <- struct{}{} }
	for i, pid := range s.pids {
		s.system.Root.Send(pid, s.people.Post(i, 1, actors.AckApplied))
	}
	for range s.pids {
		<-applied
	}
	s.done = usual
}

// stockActor is one conversation. It receives *[actors.Proposal] and answers where it was asked.
type stockActor struct {
	state

	home *stock
}

// Receive runs on the actor's turn.
func (a *stockActor) Receive(c actor.Context) {
	p, ok := c.Message().(*actors.Proposal)
	if !ok {
		return
	}
	a.apply(p)
	if c.Sender() != nil {
		c.Respond(&actors.Reply{Conversation: p.Conversation, LastSeq: a.lastSeq, Ack: actors.AckApplied, Changed: true, Tag: p.Tag})
		return
	}
	a.home.done(p)
}

// Round implements [side.Side].
func (s *stock) Round(context.Context) (side.Figures, error) {
	rate := chat.Send(s.speakers, s.window, s.p.Window, func(from *chat.Speaker) {
		p, i := from.Next(actors.AckApplied)
		s.system.Root.Send(s.pids[i], p)
	})
	return side.Figures{"rate": rate, "heap": s.heap, "peak": chat.PeakMemory()}, nil
}

// Close implements [side.Side]. The actors are idle, and idle actors have no goroutine to wait for.
func (s *stock) Close() error {
	s.system.Shutdown()
	return nil
}

// stockAsks asks stock actors.
type stockAsks struct{ *stock }

// OpenStockAsks opens what [OpenStock] does. Each caller has one post applied by protoactor's RequestFuture and waits for the answer before the next.
// Figures: took, the nanoseconds from one to the next.
func OpenStockAsks(_ context.Context, p side.Params) (side.Side, error) {
	return &stockAsks{newStock(p)}, nil
}

// Round implements [side.Side].
func (s *stockAsks) Round(context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		p, i := from.Next(actors.AckApplied)
		answer, err := s.system.Root.RequestFuture(s.pids[i], p, time.Minute).Result()
		if _, ok := answer.(*actors.Reply); err == nil && !ok {
			err = fmt.Errorf("an actor answered with a %T", answer)
		}
		return 1, err
	})
	return side.Figures{"took": 1e9 / rate * float64(len(s.speakers))}, err
}

// stockIdle has actors in memory.
type stockIdle struct{ *stock }

// OpenStockIdle opens what [OpenStock] does, and sends nothing more. Figures: heap, the bytes of each actor; gc, the milliseconds of a whole collection.
func OpenStockIdle(_ context.Context, p side.Params) (side.Side, error) {
	return &stockIdle{newStock(p)}, nil
}

// Round implements [side.Side].
func (s *stockIdle) Round(context.Context) (side.Figures, error) {
	runtime.GC()
	began := time.Now()
	runtime.GC()
	return side.Figures{"heap": s.heap, "gc": time.Since(began).Seconds() * 1000}, nil
}

// stockSteady sends at a rate that does not ask how fast posts are applied.
type stockSteady struct{ *stock }

// OpenStockSteady opens what [OpenStock] does. A round sends Rate posts a second, with two collections in the middle. Figures: p50, p99 in milliseconds.
func OpenStockSteady(_ context.Context, p side.Params) (side.Side, error) {
	return &stockSteady{newStock(p)}, nil
}

// Round implements [side.Side].
func (s *stockSteady) Round(ctx context.Context) (side.Figures, error) {
	load := chat.NewOpen(s.p.Rate, s.p.Window)
	s.done = func(p *actors.Proposal) { load.Done(p.Tag, false) }
	err := load.Run(ctx, s.speakers[0], chat.Collections, func(p *actors.Proposal, i int) { s.system.Root.Send(s.pids[i], p) })
	return load.Figures(), err
}
