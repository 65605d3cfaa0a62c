package server

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// newHost returns an actor system as a backend has one, that says nothing.
func newHost(t *testing.T) *actor.ActorSystem {
	t.Helper()
	config := actor.NewConfig()
	config.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystemWithConfig(config)
	system.EventStream = eventstream.NewEventStream() // its own logs dead letters, on a goroutine that a bubble would wait for
	t.Cleanup(system.Shutdown)
	return system
}

// actorDoor proposes from an actor of the host's, by messages. There are none for looks: those are calls.
type actorDoor struct {
	goDoor

	system *actor.ActorSystem
	pid    *actor.PID
}

func openActorDoor(t *testing.T, engine *actors.Engine, system *actor.ActorSystem) *actorDoor {
	t.Helper()
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &proposer{} }))
	t.Cleanup(func() { _ = system.Root.StopFuture(pid).Wait() })
	return &actorDoor{goDoor: goDoor{engine: engine}, system: system, pid: pid}
}

func (d *actorDoor) propose(t *testing.T, request, extra []byte) (*parleyv1.ProposeResponse, *refusal) {
	t.Helper()
	proposal := proposalFrom(t, request, extra)
	if proposal.err != nil {
		return nil, proposal.refusal(t)
	}
	reply := d.ask(t, []*actors.Proposal{proposal.Proposal})[0]
	return answerOf(t, &reply, reply.Err)
}

func (d *actorDoor) batch(t *testing.T, requests [][]byte) []*parleyv1.ProposeResponse {
	t.Helper()
	return batchOf(t, requests, func(proposals []*actors.Proposal) []actors.Reply { return d.ask(t, proposals) })
}

func (d *actorDoor) ask(t *testing.T, proposals []*actors.Proposal) []actors.Reply {
	t.Helper()
	answers := make(chan []actors.Reply, 1)
	d.system.Root.Send(d.pid, &task{engine: d.engine.PID(), proposals: proposals, answers: answers})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case replies := <-answers:
		if replies == nil {
			t.Fatal("the engine sent a reply that fits no proposal")
		}
		return replies
	case <-ctx.Done():
		t.Fatal("the engine did not reply to all proposals")
		return nil
	}
}

// task asks a proposer for proposals, sent one after the other without waiting for replies, which come to answers in the same order.
type task struct {
	engine    *actor.PID
	proposals []*actors.Proposal
	answers   chan<- []actors.Reply
}

// proposer is an actor of the host's. As a host would, it tells replies apart by tags of its own and by the conversation, and gives what it was asked
// with back.
type proposer struct {
	task    *task // nil: none is under way
	tags    uint64
	first   uint64 // the tag of the task's first proposal
	replies []actors.Reply
	missing int
}

// Receive implements [actor.Actor].
func (p *proposer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *task:
		p.task, p.first, p.replies, p.missing = m, p.tags, make([]actors.Reply, len(m.proposals)), len(m.proposals)
		for _, proposal := range m.proposals {
			own := *proposal
			own.Tag = p.tags
			p.tags++
			ctx.Request(m.engine, &own)
		}
		p.finish()
	case *actors.Reply:
		if p.task == nil {
			return // the test has failed already
		}
		place := m.Tag - p.first
		if place >= uint64(len(p.replies)) || p.task.proposals[place].Conversation != m.Conversation {
			p.task.answers <- nil
			p.task = nil
			return
		}
		p.replies[place] = *m
		p.replies[place].Tag = p.task.proposals[place].Tag
		p.missing--
		p.finish()
	}
}

func (p *proposer) finish() {
	if p.missing == 0 {
		p.task.answers <- p.replies
		p.task = nil
	}
}
