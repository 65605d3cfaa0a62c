package actors

import (
	"context"
	"errors"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// load reads the state of a conversation that has no actor.
func (e *Engine) load(name string) (*conversation.State, error) {
	values, err := e.newest(e.ctx, name, persistence.HeadKey(name), persistence.TailKey(name), persistence.RosterKey(name))
	if err != nil {
		return nil, err
	}
	return conversation.Load(name, values[0], values[1], values[2])
}

// loadFor reads the state of a conversation that has no actor, with the memberships that what waits in its cell will ask for, as far as they are to be had.
func (e *Engine) loadFor(c *cell) (*conversation.State, error) {
	state, err := e.load(c.name)
	if err != nil {
		return nil, err
	}
	e.teach(state, c.asksFor(state))
	return state, nil
}

// teach has a state know memberships. Those that cannot be read it is left to ask for when it needs them.
func (e *Engine) teach(state *conversation.State, users []string) {
	if len(users) == 0 {
		return
	}
	values, err := e.loadMembers(state.Name(), users)
	for i := 0; i < len(values) && err == nil; i++ {
		err = state.Learn(users[i], values[i])
	}
}

// loadMembers reads the values under users' membership keys.
func (e *Engine) loadMembers(name string, users []string) ([][]byte, error) {
	keys := make([][]byte, len(users))
	for i, user := range users {
		keys[i] = persistence.MembershipKey(user, name)
	}
	if !e.orders.any() {
		return e.newest(e.ctx, name, keys...)
	}
	// What a conversation has forgotten is nothing to it, also as long as the store has it.
	e.settleEach(name)
	removed := e.journal.Removed(name, keys...)
	values, err := e.newest(e.ctx, name, keys...)
	for i := range values {
		if removed[i] {
			values[i] = nil
		}
	}
	return values, err
}

// newest returns the newest values under some keys of a conversation, nil where there is none: all as of one moment, not before the call. What is not in the store
// yet is asked for first and the snapshot is taken after that, so that a row which goes from the one to the other meanwhile is seen in at least one of
// them; where it is in both, the higher (generation, version) is the newer.
func (e *Engine) newest(ctx context.Context, name string, keys ...[]byte) ([][]byte, error) {
	e.settleEach(name)
	values := e.journal.Lookup(name, keys...)
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	for i, key := range keys {
		if values[i], err = newer(ctx, snapshot, key, values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// newer returns the value that the snapshot has under a key, unless the one given, if any, is as new.
func newer(ctx context.Context, snapshot persistence.Snapshot, key, value []byte) ([]byte, error) {
	stored, err := snapshot.Get(ctx, key)
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return value, nil
	case err != nil:
		return nil, err
	case value == nil:
		return stored, nil
	}
	is, err := persistence.Newer(key, stored, value)
	if err != nil || !is {
		return value, err
	}
	return stored, nil
}

func unavailable(name string, cause error) *conversation.Error {
	return &conversation.Error{Kind: conversation.ErrUnavailable, Conversation: name, Cause: cause}
}
