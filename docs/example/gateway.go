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
	"github.com/parley-im/parley/actors/conversation"
)

// Messages to a gateway.
type (
	connect struct{ device string }
	looked  struct { // from its own goroutine
		list  []conversation.View
		badge actors.Badge
		err   error
	}
	news   struct{ event actors.Event } // from the watcher
	relook struct{}                     // from the watcher, which has missed something
)

// gateway is one connected user, with their devices. It shows the list and the badge at connect, and from then on pushes to each device what it does not know yet.
type gateway struct {
	ctx    context.Context //nolint:containedctx // ends what the gateway's goroutines ask the engine
	user   string
	engine *actors.Engine
	log    *messageLog
	say    func(format string, args ...any)

	devices map[string]map[string]uint64 // what each knows: the last message, by conversation; nil: it has not been shown its list
	looking bool
	again   bool
	badge   actors.Badge
}

// Receive implements actor.Actor.
func (g *gateway) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *connect:
		g.devices[m.device] = nil
		g.look(ctx)
	case *looked:
		g.show(ctx, m)
	case *news:
		g.push(ctx, m.event)
	case *relook:
		for device := range g.devices {
			g.devices[device] = nil
		}
		g.look(ctx)
	}
}

// look asks the engine for the list and the badge. That reads the store, so it is done beside the actor, one at a time; the answer is a message.
func (g *gateway) look(ctx actor.Context) {
	if g.looking {
		g.again = true
		return
	}
	g.looking = true
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() {
		page, err := g.engine.Conversations(g.ctx, actors.ListQuery{User: g.user})
		badge, failed := g.engine.Badge(g.ctx, g.user)
		if err == nil {
			err = failed
		}
		root.Send(self, &looked{list: page.Conversations, badge: badge, err: err})
	}()
}

func (g *gateway) show(ctx actor.Context, m *looked) {
	g.looking = false
	if g.again {
		g.again = false
		g.look(ctx)
	}
	if m.err != nil {
		return // the next news asks again
	}
	for _, device := range slices.Sorted(maps.Keys(g.devices)) {
		if g.devices[device] != nil {
			continue
		}
		g.devices[device] = map[string]uint64{}
		var rows []string
		for _, v := range m.list {
			g.devices[device][v.Conversation] = v.LastSeq
			rows = append(rows, fmt.Sprintf("%s (%d unread)", v.Conversation, v.Membership.Unread))
		}
		g.say("%s/%s is shown %s", g.user, device, cmp.Or(strings.Join(rows, ", "), "an empty list"))
	}
	if m.badge != g.badge && len(g.devices) > 0 {
		g.badge = m.badge
		g.say("%s has a badge of %d", g.user, g.badge.Unread)
	}
}

// push tells devices of an event, but for the one that it comes from. An event may come twice, and stands for several changes: what counts is how far a device has got.
func (g *gateway) push(ctx actor.Context, event actors.Event) {
	for _, device := range slices.Sorted(maps.Keys(g.devices)) {
		known := g.devices[device]
		switch {
		case known == nil: // its list is on its way
		case event.Expired != nil:
			delete(known, event.Conversation)
			g.say("%s/%s forgets %s", g.user, device, event.Conversation)
		case event.Changed.LastSeq > known[event.Conversation]:
			if event.Changed.Origin != g.user+"/"+device {
				for _, m := range g.log.between(event.Conversation, known[event.Conversation], event.Changed.LastSeq) {
					g.say("%s/%s gets %s %d from %s: %s", g.user, device, event.Conversation, m.seq, m.sender, m.text)
				}
			}
			known[event.Conversation] = event.Changed.LastSeq
		}
	}
	g.look(ctx) // for the badge
}
