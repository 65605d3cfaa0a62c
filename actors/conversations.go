package actors

import "github.com/asynkron/protoactor-go/actor"

// conversations is what protoactor knows as the actor of each conversation of a shard, and as what leads to it: it hands on what is received to the cell whose turn it is, and what is sent to the one that is
// addressed. So neither protoactor's contexts nor its registry lead to each cell once more, which the collector would follow.
type conversations struct{ shard *shard }

var (
	_ actor.Actor   = conversations{}
	_ actor.Process = conversations{}
)

// Receive implements actor.Actor.
func (a conversations) Receive(ctx actor.Context) { a.shard.turn.actor.receive(ctx) }

// SendUserMessage implements actor.Process.
func (a conversations) SendUserMessage(to *actor.PID, message any) {
	if c := a.shard.cells.actorOf(to); c != nil {
		c.PostUserMessage(message)
	}
}

// SendSystemMessage implements actor.Process. What is for an actor that has ended is dropped, even where the cell has another one now.
func (a conversations) SendSystemMessage(to *actor.PID, message any) {
	if c := a.shard.cells.actorOf(to); c != nil {
		c.PostSystemMessage(message)
	}
}

// Stop implements actor.Process.
func (a conversations) Stop(who *actor.PID) { a.SendSystemMessage(who, &actor.Stop{}) }
