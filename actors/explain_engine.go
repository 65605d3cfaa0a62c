package actors

import (
	"context"
	"errors"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// explainTries is how often the rows of a conversation are read anew because it changed, and was written, meanwhile.
const explainTries = 16

// ExplainConversation says what the engine knows of a conversation and why it is as it is; where user is not "", also what that user is shown, and why. It is for an operator.
//
// Its rows, those of the user, and the clock are as of one moment between the call and its return. What is in memory beside them (the actor and its queue, the reaper, the
// latest changes) is as of moments of its own, within the call. It reads memory and the store, asks the reaper, which answers between two of its turns, and waits for nothing else: no
// conversation becomes active by it, none waits for it, and nothing is changed.
//
// It returns an error of kind ErrNotFound for a conversation that was never known, or is long forgotten, unless somebody is trying to begin it just now; one that is over, or of
// which only a tombstone is left, is explained. Further it returns ErrInvalid for a bad name, and ErrUnavailable where the store cannot be read, the engine has stopped, or ctx
// ended first, whose cause it then wraps. Its cost is that of a few rows, and for a tombstone that of going through up to [MaxEventsRead] events.
func (e *Engine) ExplainConversation(ctx context.Context, name, user string) (*ConversationExplanation, error) {
	if err := checkNames(name, user); err != nil {
		return nil, err
	}
	if e.stopped() {
		return nil, unavailable(name, ErrStopped)
	}
	reaper, err := e.askReaper(ctx, name)
	if err != nil {
		return nil, unavailable(name, err)
	}
	s := e.shardOf(name)
	e.settleEach(name)
	memory := s.memory(name)
	found, known, inspection, err := e.explainRows(ctx, name, user)
	if err != nil {
		return nil, unavailable(name, err)
	}
	found.Memory, found.Reaper = memory, reaper
	found.Journal = e.explainJournal(&inspection, persistence.InstantOf(found.Now))
	found.Changes = e.events.recent(name)
	if !known && memory.State == MemoryPassive && found.Journal.Barred == nil && found.Journal.Rows() == 0 {
		return nil, notFound(name)
	}
	if from, at := e.agenda.looks(s.number); at != persistence.Never {
		found.Due.LooksFrom, found.Due.LooksAt = from.Time(), at.Time()
	}
	if found.Life == LifeOver {
		for _, g := range reaper.Generations {
			if g.Generation == found.Head.Generation && g.Due.Equal(found.Due.At) {
				found.Life = g.Stage
			}
		}
	}
	return found, nil
}

// checkNames reports what is wrong with the name of a conversation, or with that of a user, unless it is "".
func checkNames(name, user string) error {
	if err := conversation.CheckConversation(name); err != nil || user == "" {
		return err
	}
	return conversation.CheckUser("user", user)
}

// explainRows explains the rows, and returns what the journal has of them.
func (e *Engine) explainRows(ctx context.Context, name, user string) (found *ConversationExplanation, known bool, inspection journal.Inspection, err error) {
	x := &explaining{config: &e.config, name: name, user: user}
	x.firstEvent, _ = e.eventLog.get(persistence.ShardOf(name))
	for range explainTries {
		inspection = e.journal.Inspect(name, x.wanted)
		x.pending = inspection.Rows
		if x.snapshot, err = e.store.Snapshot(); err != nil {
			return nil, false, inspection, err
		}
		x.now = e.clock.now()
		// Else the snapshot may have what the journal was given since: not everything would be as of one moment.
		settled := e.journal.Settled(inspection.Open)
		if settled {
			found, known, err = x.explain(ctx)
		}
		x.snapshot.Close()
		if settled || err != nil {
			return found, known, inspection, err
		}
	}
	return nil, false, inspection, errRestless
}

// errRestless says that a batch was written between any two looks at the journal.
var errRestless = errors.New("its rows changed while they were read, again and again: try once more")

func (e *Engine) explainJournal(i *journal.Inspection, now persistence.Instant) *JournalExplanation {
	found := &JournalExplanation{Bytes: i.Bytes, Batch: i.Batch, Writing: i.Writing, Durable: i.Durable, Flushed: e.journal.Flushed(), Barred: i.Barred}
	found.Failed, found.Err = e.journal.Trouble()
	if i.Age != 0 {
		found.Age = now.Sub(i.Age)
	}
	for kind, n := range i.Counts {
		switch kind {
		case persistence.KindHead, persistence.KindTail, persistence.KindRoster:
			found.HeadRows += n
		case persistence.KindEntry:
			found.EntryRows += n
		case persistence.KindDue:
			found.DueRows += n
		default:
			found.MemberRows += n
		}
	}
	return found
}
