package main

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// device is what one of a user's devices has: a copy of the user's list. A real device keeps it itself, with the cursor, and sends that when it connects.
type device struct {
	known  map[string]uint64 // the last message of each conversation in the list
	cursor string            // how far it was told what changed; "": it has not been shown its list
	behind bool              // it must ask what changed
	away   bool
}

// delta is what a device must be told.
type delta struct {
	full    bool // it drops what it has
	changed []conversation.View
	removed []string
	cursor  string
}

// catchUp asks what a device must be told that was told everything up to a cursor.
func catchUp(ctx context.Context, engine *actors.Engine, user, cursor string) (d delta, err error) {
	if cursor == "" {
		return list(ctx, engine, user)
	}
	for more := true; more; {
		page, err := engine.Sync(ctx, actors.SyncQuery{User: user, Cursor: cursor})
		if err != nil {
			return delta{}, err
		}
		if page.Full && !d.full {
			d = delta{full: true}
		}
		d.changed = append(d.changed, page.Changed...)
		for _, removal := range page.Removed {
			d.removed = append(d.removed, removal.Conversation)
		}
		cursor, more = page.Cursor, page.More
	}
	d.cursor = cursor
	return d, nil
}

// list asks for the whole list. What moves from one of its pages to another while they are read is told from its cursor.
func list(ctx context.Context, engine *actors.Engine, user string) (delta, error) {
	d := delta{full: true}
	for q, pages := (actors.ListQuery{User: user}), 1; ; pages++ {
		page, err := engine.Conversations(ctx, q)
		if err != nil {
			return delta{}, err
		}
		d.changed, d.cursor = append(d.changed, page.Conversations...), page.SyncCursor
		if q.PageToken = page.NextPageToken; q.PageToken != "" {
			continue
		}
		if pages == 1 {
			return d, nil
		}
		moved, err := catchUp(ctx, engine, user, d.cursor)
		moved.changed, moved.full = append(d.changed, moved.changed...), true
		return moved, err
	}
}
