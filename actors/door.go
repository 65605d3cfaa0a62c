package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// door is the engine's address in the host's actor system: a process that takes proposals in, on the sender's own goroutine. It outlives the engine, because
// protoactor keeps the process of a PID for as long as somebody holds the PID; by then it is small, and answers that the engine has stopped.
type door struct {
	system *actor.ActorSystem // the host's; nil: there is none
	pid    *actor.PID

	mu       sync.Mutex
	engine   *Engine // nil once it has stopped
	watchers map[string]*actor.PID
}

var _ actor.Process = (*door)(nil)

func openDoor(system *actor.ActorSystem, e *Engine) *door {
	d := &door{system: system, engine: e, watchers: map[string]*actor.PID{}}
	if system != nil {
		d.pid, _ = system.ProcessRegistry.Add(d, "parley-"+system.ProcessRegistry.NextId())
		// A PID looks its process up with its first message and keeps it. From now on it reaches the door also where its first user comes after the engine has stopped.
		system.Root.Send(d.pid, opened{})
	}
	return d
}

// opened is the first message to a door.
type opened struct{}

// SendUserMessage implements actor.Process.
func (d *door) SendUserMessage(_ *actor.PID, message any) { d.take(message, nil) }

func (d *door) take(message any, sender *actor.PID) {
	switch m := message.(type) {
	case *actor.MessageEnvelope:
		d.take(m.Message, m.Sender)
	case actor.MessageBatch:
		for _, each := range m.GetMessages() {
			d.take(each, sender)
		}
	case *Proposal:
		d.propose(m, sender)
	case *actor.PoisonPill:
		d.stopped()
	case opened:
	default:
		if e := d.current(); e != nil {
			e.unexpected("engine", m)
		}
	}
}

func (d *door) propose(p *Proposal, sender *actor.PID) {
	var to returnTo
	if sender != nil {
		to.to = replyFunc(func(r *Reply) {
			sent := *r
			d.system.Root.Send(sender, &sent)
		})
	}
	if e := d.current(); e != nil {
		e.acceptPush(p, to)
		return
	}
	if to.waits() && p != nil {
		to.answer(&Reply{Conversation: p.Conversation, Tag: p.Tag, Err: unavailable(p.Conversation, ErrStopped)})
	}
}

// SendSystemMessage implements actor.Process.
func (d *door) SendSystemMessage(_ *actor.PID, message any) {
	switch m := message.(type) {
	case *actor.Watch:
		d.mu.Lock()
		over := d.engine == nil
		if !over {
			d.watchers[m.Watcher.String()] = m.Watcher
		}
		d.mu.Unlock()
		if over {
			d.terminated(m.Watcher)
		}
	case *actor.Unwatch:
		d.mu.Lock()
		delete(d.watchers, m.Watcher.String())
		d.mu.Unlock()
	case *actor.Stop:
		d.stopped()
	}
}

// Stop implements actor.Process. Hosts stop the engine with [Engine.Stop].
func (d *door) Stop(*actor.PID) { d.stopped() }

func (d *door) stopped() {
	if e := d.current(); e != nil {
		e.counts.hostStops.Add(1)
		e.unexpected("engine", &actor.Stop{})
	}
}

func (d *door) current() *Engine {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine
}

// close lets go of the engine and tells whoever watched it.
func (d *door) close() {
	d.mu.Lock()
	d.engine = nil
	watchers := d.watchers
	d.watchers = nil
	d.mu.Unlock()
	if d.system == nil {
		return
	}
	d.system.ProcessRegistry.Remove(d.pid)
	for _, watcher := range watchers {
		d.terminated(watcher)
	}
}

func (d *door) terminated(watcher *actor.PID) {
	process, ok := d.system.ProcessRegistry.Get(watcher)
	if ok {
		process.SendSystemMessage(watcher, &actor.Terminated{Who: d.pid})
	}
}
