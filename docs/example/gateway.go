package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
)

// Messages to a gateway.
type (
	connect    struct{ device string }
	disconnect struct{ device string }
	looked     struct { // from its own goroutine
		deltas map[string]delta // by device
		badge  actors.Badge
		err    error
	}
	news   struct{ event actors.Event } // from the watcher
	relook struct{}                     // from the watcher, which has missed something
)

// gateway is one user, with their devices. It shows a device the list when it connects for the first time; whenever it comes back, or something was missed, what changed since; and
// from then on it pushes what the device does not know yet.
type gateway struct {
	ctx    context.Context //nolint:containedctx // ends what the gateway's goroutines ask the engine
	user   string
	engine *actors.Engine
	log    *messageLog
	say    func(format string, args ...any)

	devices map[string]*device
	looking bool
	again   bool
	badge   actors.Badge
}

// Receive implements actor.Actor.
func (g *gateway) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *connect:
		if g.devices[m.device] == nil {
			g.devices[m.device] = &device{known: map[string]uint64{}}
		}
		g.devices[m.device].away, g.devices[m.device].behind = false, true
		g.look(ctx)
	case *disconnect:
		if d := g.devices[m.device]; d != nil {
			d.away = true
		}
	case *looked:
		g.show(ctx, m)
	case *news:
		g.push(ctx, m.event)
	case *relook:
		for _, d := range g.devices {
			d.behind = true
		}
		g.look(ctx)
	}
}

// look asks the engine for the badge, and for those devices that are behind what changed. That reads the store, so it is done beside the actor, one at a time; the answer is a message.
func (g *gateway) look(ctx actor.Context) {
	if g.looking {
		g.again = true
		return
	}
	behind := map[string]string{} // cursors
	for name, d := range g.devices {
		if d.behind && !d.away {
			behind[name] = d.cursor
		}
	}
	g.looking = true
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() {
		m := &looked{deltas: map[string]delta{}}
		m.badge, m.err = g.engine.Badge(g.ctx, g.user)
		for name, cursor := range behind {
			d, err := catchUp(g.ctx, g.engine, g.user, cursor)
			if err != nil {
				m.err = err
				break
			}
			m.deltas[name] = d
		}
		root.Send(self, m)
	}()
}

func (g *gateway) show(ctx actor.Context, m *looked) {
	again := g.again
	g.looking, g.again = false, false
	for _, name := range slices.Sorted(maps.Keys(m.deltas)) {
		d := g.devices[name]
		if d.away {
			continue // it did not hear it
		}
		d.behind = again // what was not pushed meanwhile, because it was behind, is told next
		delta := m.deltas[name]
		g.apply(name, d, &delta)
	}
	if m.err == nil {
		m.badge.Cost = actors.ReadCost{}
		if m.badge != g.badge && len(g.devices) > 0 {
			g.badge = m.badge
			g.say("%s has a badge of %d", g.user, g.badge.Unread)
		}
	} // else the next news asks again
	if again {
		g.look(ctx)
	}
}

// apply tells a device what it missed: what changed takes the place of what it had, and what was removed goes.
func (g *gateway) apply(name string, d *device, missed *delta) {
	if missed.full {
		clear(d.known)
	}
	var rows []string
	for i := range missed.changed {
		v := &missed.changed[i]
		if missed.full {
			rows = append(rows, fmt.Sprintf("%s (%d unread)", v.Conversation, v.Membership.Unread))
		} else {
			g.tell(name, v.Conversation, max(d.known[v.Conversation], v.Membership.VisibleFrom-1), v.LastSeq)
		}
		d.known[v.Conversation] = v.LastSeq
	}
	if missed.full {
		g.say("%s/%s is shown %s", g.user, name, cmp.Or(strings.Join(rows, ", "), "an empty list"))
	}
	for _, conversation := range missed.removed {
		g.forget(name, d, conversation)
	}
	d.cursor = missed.cursor
}

func (g *gateway) tell(name, conversation string, after, upTo uint64) {
	for _, m := range g.log.between(conversation, after, upTo) {
		g.say("%s/%s gets %s %d from %s: %s", g.user, name, conversation, m.seq, m.sender, m.text)
	}
}

func (g *gateway) forget(name string, d *device, conversation string) {
	if _, ok := d.known[conversation]; ok {
		delete(d.known, conversation)
		g.say("%s/%s forgets %s", g.user, name, conversation)
	}
}

// push tells devices of an event, but for the one that it comes from. An event may come twice, and stands for several changes: what counts is how far a device has got. What may
// change which conversations are in the list is asked for.
func (g *gateway) push(ctx actor.Context, event actors.Event) {
	for _, name := range slices.Sorted(maps.Keys(g.devices)) {
		d := g.devices[name]
		switch {
		case d.away || d.behind: // it will be told once it is back, or is being told
		case event.Expired != nil:
			g.forget(name, d, event.Conversation)
		case slices.ContainsFunc(event.Changed.Kinds, movesLists):
			d.behind = true
		case event.Changed.LastSeq > d.known[event.Conversation]:
			if event.Changed.Origin != g.user+"/"+name {
				g.tell(name, event.Conversation, d.known[event.Conversation], event.Changed.LastSeq)
			}
			d.known[event.Conversation] = event.Changed.LastSeq
		}
	}
	g.look(ctx) // for the badge, and for those who are behind
}

func movesLists(kind string) bool {
	return slices.Contains([]string{"join", "leave", "clear", "set"}, kind)
}
