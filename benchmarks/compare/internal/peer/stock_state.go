package peer

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
)

// stateful is a stock actor for each conversation that holds the state which an active conversation of the engine holds.
type stateful struct {
	system *actor.ActorSystem
	pids   []*actor.PID
	heap   float64
}

// OpenStateful returns a side with a stock actor for each of the Known conversations of a store in memory, each with the engine's own state of it: head,
// tail, roster and the membership of who posts there. Each was sent a message. Figures: heap, the bytes of each.
func OpenStateful(ctx context.Context, p side.Params) (side.Side, error) {
	store, people, err := parley.InMemory(ctx, p)
	if err != nil {
		return nil, err
	}
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	s := &stateful{system: newSystem(), pids: make([]*actor.PID, p.Known)}
	before := chat.SettledHeap()
	heard := make(chan struct{})
	for i := range s.pids {
		state, err := load(ctx, snapshot, people.Name(i), people.Sender(i))
		if err != nil {
			return nil, err
		}
		s.pids[i] = s.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &statefulActor{state: state, heard: heard} }))
		s.system.Root.Send(s.pids[i], &greeting{})
		<-heard
	}
	s.heap = (chat.SettledHeap() - before) / float64(p.Known)
	return s, nil
}

func load(ctx context.Context, snapshot persistence.Snapshot, name, sender string) (*conversation.State, error) {
	var rows [4][]byte
	keys := [...][]byte{persistence.HeadKey(name), persistence.TailKey(name), persistence.RosterKey(name), persistence.MembershipKey(sender, name)}
	for i, key := range keys {
		value, err := snapshot.Get(ctx, key)
		if err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return nil, fmt.Errorf("the rows of %s: %w", name, err)
		}
		rows[i] = value
	}
	state, err := conversation.Load(name, rows[0], rows[1], rows[2])
	if err != nil {
		return nil, err
	}
	return state, state.Learn(sender, rows[3])
}

// greeting is what each actor is sent once.
type greeting struct{}

// statefulActor keeps a state. It receives *greeting from the side, which waits.
type statefulActor struct {
	state *conversation.State
	heard chan struct{}
}

// Receive runs on the actor's turn.
func (a *statefulActor) Receive(c actor.Context) {
	if _, ok := c.Message().(*greeting); ok {
		a.heard <- struct{}{}
	}
}

// Round implements [side.Side].
func (s *stateful) Round(context.Context) (side.Figures, error) {
	return side.Figures{"heap": s.heap}, nil
}

// Close implements [side.Side].
func (s *stateful) Close() error {
	s.system.Shutdown()
	return nil
}
