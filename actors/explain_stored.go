package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Stored is what of a store is only read.
type Stored interface {
	Meta() persistence.Meta
	Snapshot() (persistence.Snapshot, error)
}

// ExplainStored says what [Engine.ExplainConversation] says, with the same errors, from a store that no engine runs on: without what an engine has in memory, which is nil, and
// with what the config says of policies and of Config.EventsFor. Nothing is written. now is the wall clock; where the store has seen a later time, that is taken instead, as an
// engine would that started on it.
func ExplainStored(ctx context.Context, store Stored, config Config, now time.Time, name, user string) (*ConversationExplanation, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("parley: config: %w", err)
	}
	if err := checkNames(name, user); err != nil {
		return nil, err
	}
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, unavailable(name, err)
	}
	defer snapshot.Close()
	config = config.withDefaults()
	x := &explaining{config: &config, name: name, user: user, snapshot: snapshot, now: max(persistence.InstantOf(now), store.Meta().Clock)}
	found, known, err := x.explain(ctx)
	switch {
	case err != nil:
		return nil, unavailable(name, err)
	case !known:
		return nil, notFound(name)
	}
	return found, nil
}
