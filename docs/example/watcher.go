package main

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
)

// watcher passes the engine's events on to the gateways of those whom they concern. It is a goroutine of the backend's; one is enough for all gateways.
type watcher struct {
	engine   *actors.Engine
	root     *actor.RootContext
	gateways map[string]*actor.PID
	members  func(conversation string) []string
}

// run watches until ctx ends. When the store cannot be read for a while, it goes on where it was.
func (w *watcher) run(ctx context.Context) {
	cursor := ""
	for ctx.Err() == nil {
		cursor = w.watch(ctx, cursor)
		select {
		case <-time.After(patience):
		case <-w.engine.Done():
			return
		case <-ctx.Done():
		}
	}
}

// watch passes events on from a cursor, until something ends that. It returns the cursor of the last one.
func (w *watcher) watch(ctx context.Context, cursor string) string {
	watch, err := w.engine.Watch(ctx, actors.WatchQuery{Cursor: cursor})
	if err != nil {
		return cursor
	}
	defer watch.Close()
	if cursor == "" {
		w.relook() // what was changed before it began is not told
	}
	for event, err := range watch.Events(ctx) {
		if err != nil {
			break
		}
		cursor = event.Cursor
		w.pass(event)
	}
	return cursor
}

func (w *watcher) pass(event actors.Event) {
	var users []string
	switch {
	case event.Gap != nil:
		w.relook()
		return
	case event.Expired != nil:
		users = event.Expired.Users
	case len(event.Changed.Users) > 0:
		users = event.Changed.Users
	default:
		users = w.members(event.Conversation)
	}
	for _, user := range users {
		if gateway := w.gateways[user]; gateway != nil {
			w.root.Send(gateway, &news{event: event})
		}
	}
}

// relook has all gateways ask for what they may not have been told.
func (w *watcher) relook() {
	for _, gateway := range w.gateways {
		w.root.Send(gateway, &relook{})
	}
}
