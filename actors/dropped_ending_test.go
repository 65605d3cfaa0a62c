package actors_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// droppedEnding has a held conversation released, by a change that the store does not take, at a time when its retention has run out or is about to: it is judged over by rows that are in the journal, which drops
// them. So it is held still. Deletions fail so often before they succeed.
func droppedEnding(t *testing.T, release time.Duration, failures int) {
	t.Helper()
	const name = "group:4"
	config := actors.Config{Default: conversation.Policy{ExpireAfter: 10 * time.Second}, QuarantineFor: time.Second}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post(name, "ann", 1, "bob")
		e.Do(name, &conversation.Hold{On: true})
		e.Advance(release)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if ofReaper(b) {
				if failures--; failures >= 0 {
					return errFire
				}
				return nil
			}
			for _, g := range b.Groups {
				for _, put := range g.Puts {
					if of, err := persistence.ParseHeadKey(put.Key); err == nil && of == name {
						return errFire
					}
				}
			}
			return nil
		}})
		for of, change := range map[string]conversation.Change{name: &conversation.Hold{}, "other:1": &conversation.Post{Seq: 1, Sender: "ann"}} {
			e.Send(&actors.Proposal{Conversation: of, Ack: actors.AckApplied, Change: change})
		}
		e.Advance(5 * time.Second)
		e.Heal()
		e.Advance(time.Minute)
		for _, info := range e.Expired() {
			if info.Conversation == name {
				t.Errorf("told: %+v", info)
			}
		}
		if v := e.View(name, ""); v == nil || !v.Held {
			t.Errorf("it is %+v, want it held: nothing else is in the store", v)
		}
	})
}

// The due entry is not in the store, as it was dropped with the rest: there is nothing to be deleted, and nothing was.
func TestWhatWasJudgedOverByRowsThatWereDroppedIsNotToldOf(t *testing.T) {
	for failures := range 2 {
		droppedEnding(t, time.Minute, failures)
	}
}

// The due entry is in the store, from before the conversation was held.
func TestWhatWasJudgedOverByRowsThatWereDroppedIsNotDeleted(t *testing.T) {
	droppedEnding(t, 9900*time.Millisecond, 0)
}
