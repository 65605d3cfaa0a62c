package main

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

const (
	maxFlying  = 64                     // proposals that the engine has not answered yet
	maxWaiting = 1_000                  // messages that are in the log, but not in the engine
	patience   = 100 * time.Millisecond // before something is tried again, where the engine does not say how long
)

// Messages to the delivery actor, and its answers.
type (
	send struct{ conversation, user, device, text string } // answered with *sent or *busy
	sent struct{ seq uint64 }                              // the message is in the log, and will be proposed
	busy struct{ retryAfter time.Duration }                // it is not in the log: send it again later

	tryAgain struct{ conversation string } // to itself

	drain   struct{} // answered with *drained once nothing waits any more
	drained struct{}
)

// delivery takes messages from clients, has the log number them, and proposes each to the engine until that is done.
//
// A message that is in the log is never given up because the engine is busy: it waits here, and keeps its number, so that it does not matter how often it is proposed. Of
// each conversation one proposal is under way at a time: whatever is refused, the order stays that of the log.
type delivery struct {
	engine  *actor.PID
	log     *messageLog
	members func(conversation string) []string // the roster, which is the host's too
	say     func(format string, args ...any)

	outboxes map[string]*outbox
	ready    []string // conversations whose next proposal can be made
	flying   int
	waiting  int
	drainers []*actor.PID
}

// outbox holds what one conversation has yet to be told.
type outbox struct {
	proposals []*actors.Proposal // the first is under way, is ready, or waits for its timer
	timer     *time.Timer        // nil: none is running
}

// Receive implements actor.Actor. It never waits: not for the engine, whose replies are messages, nor for its own timers.
func (d *delivery) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *send:
		d.take(ctx, m)
	case *actors.Reply:
		d.answered(ctx, m)
	case *tryAgain:
		d.outboxes[m.conversation].timer = nil
		d.ready = append(d.ready, m.conversation)
		d.propose(ctx)
	case *drain:
		d.drainers = append(d.drainers, ctx.Sender())
		d.rest(ctx)
	case *actor.Stopping:
		for _, box := range d.outboxes {
			if box.timer != nil {
				box.timer.Stop()
			}
		}
	}
}

func (d *delivery) take(ctx actor.Context, m *send) {
	if d.waiting >= maxWaiting {
		ctx.Respond(&busy{retryAfter: patience})
		return
	}
	seq := d.log.store(m.conversation, m.user, m.text)
	ctx.Respond(&sent{seq: seq})
	box := d.outboxes[m.conversation]
	if box == nil {
		box = &outbox{}
		d.outboxes[m.conversation] = box
	}
	box.proposals = append(box.proposals, &actors.Proposal{
		Conversation: m.conversation,
		Change:       &conversation.Post{Seq: seq, Sender: m.user, Preview: []byte(m.text), Members: d.members(m.conversation)},
		Tag:          seq,
		Origin:       m.user + "/" + m.device,
	})
	d.waiting++
	if len(box.proposals) == 1 {
		d.ready = append(d.ready, m.conversation)
		d.propose(ctx)
	}
}

// propose proposes what is ready, as far as the bound allows.
func (d *delivery) propose(ctx actor.Context) {
	for len(d.ready) > 0 && d.flying < maxFlying {
		name := d.ready[0]
		d.ready = d.ready[1:]
		d.flying++
		ctx.Request(d.engine, d.outboxes[name].proposals[0])
	}
}

// answered deals with a reply. Its tag says which proposal it answers.
func (d *delivery) answered(ctx actor.Context, r *actors.Reply) {
	box := d.outboxes[r.Conversation]
	if box == nil || box.proposals[0].Tag != r.Tag {
		return
	}
	d.flying--
	if wait, again := retryAfter(r.Err); again {
		d.say("%s: message %d waits: %v", r.Conversation, r.Tag, r.Err)
		root, self := ctx.ActorSystem().Root, ctx.Self() // a context is the actor's own, and not for other goroutines
		box.timer = time.AfterFunc(wait, func() { root.Send(self, &tryAgain{conversation: r.Conversation}) })
	} else {
		if r.Err != nil {
			d.say("%s: message %d is not shown to anybody: %v", r.Conversation, r.Tag, r.Err)
		}
		d.done(r.Conversation, box)
	}
	d.propose(ctx)
	d.rest(ctx)
}

// retryAfter returns whether to propose the same again after an answer, and after how long.
func retryAfter(err error) (wait time.Duration, again bool) {
	refusal, failed := errors.AsType[*conversation.Error](err)
	switch {
	case !failed || errors.Is(err, actors.ErrStopped):
		return 0, false
	case errors.Is(refusal, conversation.ErrOverloaded) && refusal.RetryAfter > 0:
		return refusal.RetryAfter, true
	case errors.Is(refusal, conversation.ErrOverloaded), errors.Is(refusal, conversation.ErrUnavailable), errors.Is(refusal, conversation.ErrQuarantined):
		return patience, true
	}
	return 0, false // it would be refused every time
}

func (d *delivery) done(name string, box *outbox) {
	d.waiting--
	box.proposals = box.proposals[1:]
	if len(box.proposals) > 0 {
		d.ready = append(d.ready, name)
	} else {
		delete(d.outboxes, name)
	}
}

// rest tells those who wait for it that nothing is left to do.
func (d *delivery) rest(ctx actor.Context) {
	if d.waiting > 0 {
		return
	}
	for _, pid := range d.drainers {
		ctx.Send(pid, &drained{})
	}
	d.drainers = nil
}
