package actors

import (
	"context"
	"errors"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// load reads the state of a conversation that has no actor.
func (e *Engine) load(name string) (*conversation.State, error) {
	values, err := e.newest(e.ctx, name, persistence.HeadKey(name), persistence.TailKey(name))
	if err != nil {
		return nil, err
	}
	return conversation.Load(name, values[0], values[1])
}

// loadMembers reads the values under users' membership keys.
func (e *Engine) loadMembers(name string, users []string) ([][]byte, error) {
	keys := make([][]byte, len(users))
	for i, user := range users {
		keys[i] = persistence.MembershipKey(user, name)
	}
	return e.newest(e.ctx, name, keys...)
}

// newest returns the newest values under some keys of a conversation, nil where there is none: all as of one moment, not before the call. What is not in the store
// yet is asked for first and the snapshot is taken after that, so that a row which goes from the one to the other meanwhile is seen in at least one of
// them; where it is in both, the higher (generation, version) is the newer.
func (e *Engine) newest(ctx context.Context, name string, keys ...[]byte) ([][]byte, error) {
	values := e.journal.Lookup(name, keys...)
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	for i, key := range keys {
		stored, err := snapshot.Get(ctx, key)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case values[i] != nil:
			newer, err := persistence.Newer(key, stored, values[i])
			if err != nil {
				return nil, err
			}
			if !newer {
				continue
			}
		}
		values[i] = stored
	}
	return values, nil
}

func unavailable(name string, cause error) *conversation.Error {
	return &conversation.Error{Kind: conversation.ErrUnavailable, Conversation: name, Cause: cause}
}
