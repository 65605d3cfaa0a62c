package actors

import (
	"bytes"
	"context"
	"errors"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// explaining reads the rows of one conversation, all as of one moment, and says what they mean.
type explaining struct {
	config     *Config
	name, user string
	pending    map[string]conversation.Write // what is not in the store yet
	snapshot   persistence.Snapshot
	now        persistence.Instant
	firstEvent uint64 // of the shard, or a lower number
}

// wanted reports whether a write that is not in the store yet is to one of the rows that are read.
func (x *explaining) wanted(w conversation.Write) bool {
	switch persistence.KindOf(w.Key) { //nolint:exhaustive // the others are not read
	case persistence.KindHead, persistence.KindTail, persistence.KindRoster, persistence.KindDue:
		return true
	case persistence.KindMembership, persistence.KindEntry:
		return x.user != "" && w.User == x.user
	}
	return false
}

// get returns the value under a key, nil where there is no row, and whether that is not so in the store yet.
func (x *explaining) get(ctx context.Context, key []byte) (value []byte, pending bool, err error) {
	stored, err := x.snapshot.Get(ctx, key)
	there := err == nil
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		return nil, false, err
	}
	w, pending := x.pending[string(key)]
	switch {
	case !pending || (w.IfPresent && !there):
		return stored, false, nil
	case w.Delete:
		return nil, true, nil
	case there:
		switch persistence.KindOf(key) { //nolint:exhaustive // the others have no order
		case persistence.KindHead, persistence.KindTail, persistence.KindRoster, persistence.KindMembership:
			if newer, err := persistence.Newer(key, stored, w.Value); err != nil || newer {
				return stored, false, err
			}
		}
	}
	return w.Value, true, nil
}

// present reports whether there is a row under the key, and whether that is not so in the store yet. Rows without a value count.
func (x *explaining) present(ctx context.Context, key []byte) (present, pending bool, err error) {
	if w, ok := x.pending[string(key)]; ok && !w.IfPresent {
		return !w.Delete, true, nil
	}
	switch _, err := x.snapshot.Get(ctx, key); {
	case err == nil:
		return true, false, nil
	case errors.Is(err, persistence.ErrNotFound):
		return false, false, nil
	default:
		return false, false, err
	}
}

// explain says everything that the rows say. It returns false where there are none.
func (x *explaining) explain(ctx context.Context) (found *ConversationExplanation, known bool, err error) {
	namespace := persistence.Namespace(x.name)
	found = &ConversationExplanation{
		Conversation: x.name, Shard: persistence.ShardOf(x.name), Now: x.now.Time(),
		Policy: PolicyExplanation{Policy: x.config.policy(namespace), Namespace: namespace},
	}
	_, found.Policy.Named = x.config.Namespaces[namespace]
	value, _, err := x.get(ctx, persistence.HeadKey(x.name))
	if err != nil || value == nil {
		return found, false, err
	}
	head, tombstone, err := persistence.DecodeHead(value)
	if err != nil {
		return nil, false, err
	}
	if head == nil {
		found.Life = LifeBuried
		found.Tombstone, err = x.tombstone(ctx, tombstone)
	} else {
		found.Head = head
		found.Life = LifeAlive
		if x.now >= head.Deadline {
			found.Life = LifeOver
		}
		found.Deadline = found.Policy.DeadlineSum(x.name, head)
		if found.Due, err = x.due(ctx, head); err == nil {
			found.Index, err = x.index(ctx, head)
		}
	}
	if err == nil && x.user != "" {
		found.User, err = x.member(ctx, head)
	}
	return found, true, err
}

func (x *explaining) due(ctx context.Context, h *persistence.Head) (d DueExplanation, err error) {
	if h.Due == 0 {
		return d, nil
	}
	d.At = h.Due.Time()
	if h.Deadline != persistence.Never {
		d.Early = h.Deadline.Sub(h.Due)
	}
	d.Present, d.Pending, err = x.present(ctx, persistence.DueKey(x.name, h.Due, h.Generation))
	return d, err
}

func (x *explaining) index(ctx context.Context, h *persistence.Head) (i IndexExplanation, err error) {
	i = IndexExplanation{Large: h.Large, Listed: h.Listed.Time(), Noticed: h.Noticed.Time()}
	if h.Large {
		return i, nil
	}
	if h.Listed != 0 {
		i.ListedMoves = conversation.EntryStays(x.name, h.Listed).Time()
		i.NoticedMoves = conversation.EntryStays(x.name, max(h.Listed, h.Noticed)).Time()
	}
	value, _, err := x.get(ctx, persistence.RosterKey(x.name))
	if err != nil || value == nil {
		return i, err
	}
	roster, err := persistence.DecodeRoster(value)
	if err == nil && roster.Generation == h.Generation {
		i.Roster = roster.Users
	}
	return i, err
}

// tombstone finds the event of the deletion that left one. Events are numbered as time goes by, and kept for as long as tombstones.
func (x *explaining) tombstone(ctx context.Context, t persistence.Tombstone) (*TombstoneExplanation, error) {
	found := &TombstoneExplanation{Generation: t.Generation, LastSeq: t.LastSeq}
	name, read := []byte(x.name), 0
	for row, err := range x.snapshot.Scan(ctx, persistence.EventsRange(persistence.ShardOf(x.name), x.firstEvent)) {
		if err != nil {
			return nil, err
		}
		if read++; read > MaxEventsRead {
			break
		}
		if !bytes.Contains(row.Value, name) {
			continue
		}
		event, err := persistence.DecodeEvent(row.Value)
		if err != nil {
			return nil, err
		}
		if event.Conversation == x.name && event.Generation == t.Generation {
			found.Event, found.Until = event, event.At.Add(x.config.EventsFor).Time()
			break
		}
	}
	return found, nil
}
