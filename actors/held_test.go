package actors_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// isDeletion reports whether a commit removes a generation.
func isDeletion(b persistence.Batch) bool {
	for i := range b.Groups {
		if b.Groups[i].Requires != nil {
			return true
		}
	}
	return false
}

func TestTheReaperSaysWhatHoldsItBack(t *testing.T) {
	tests := []struct {
		name   string
		config actors.ReaperConfig
		faults persistencetest.Faults
		want   actors.Held
	}{
		{"pace", actors.ReaperConfig{MinRowsPerSecond: 1, MaxRowsPerSecond: 1, BatchRows: 1}, persistencetest.Faults{}, actors.HeldByPace},
		{"a failure", actors.ReaperConfig{}, persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if isDeletion(b) {
				return errors.New("no")
			}
			return nil
		}}, actors.HeldByBackOff},
		{"a batch that may grow", actors.ReaperConfig{BatchDelay: time.Minute}, persistencetest.Faults{}, actors.HeldByBatchDelay},
	}
	for _, test := range tests {
		config := hourly()
		config.Reaper = test.config
		actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
			for i := range 5 {
				e.Post(fmt.Sprintf("group:%d", i), "ann", 1)
			}
			e.Store.SetFaults(test.faults)
			e.Advance(time.Hour + 10*time.Second)
			r := e.Stats().Reaper
			if r.HeldBy != test.want || r.HeldFor[test.want] < 5*time.Second || r.HeldFor[test.want] > 11*time.Second {
				t.Errorf("%s: held back by %v, in all %v; want %v for some ten seconds", test.name, r.HeldBy, r.HeldFor, test.want)
			}
			if r.Pending == 0 || r.Oldest < 10*time.Second || r.Oldest > 11*time.Second {
				t.Errorf("%s: %d pending, the oldest for %v; want some, for ten seconds", test.name, r.Pending, r.Oldest)
			}
			e.Heal()
			e.Advance(30 * time.Minute)
			before := e.Stats().Reaper
			e.Advance(time.Minute)
			if r := e.Stats().Reaper; r.HeldBy != actors.HeldByNothing || r.HeldFor[test.want] != before.HeldFor[test.want] || r.Pending != 0 || r.Oldest != 0 || r.Expired != 5 {
				t.Errorf("%s: afterwards held back by %v, %v pending for %v, %d deleted; want nothing, and 5 deleted", test.name, r.HeldBy, r.Pending, r.Oldest, r.Expired)
			}
		})
	}
}

func TestTheReaperWaitsForTheJournal(t *testing.T) {
	config := hourly()
	config.FlushInterval = time.Hour
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		e.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return 10 * time.Second
			}
			return 0
		}})
		e.Advance(time.Hour - time.Second)
		e.ProposeFunc(postOf("group:1", 2, actors.AckApplied), func(*actors.Reply) {})
		e.ProposeFunc(&actors.Proposal{
			Conversation: "group:1", Change: &conversation.Delete{}, Ack: actors.AckApplied, IfGeneration: e.View("group:1", "").Generation,
		}, func(*actors.Reply) {})
		e.Advance(5 * time.Second)
		if r := e.Stats().Reaper; r.HeldBy != actors.HeldByJournal || r.HeldFor[actors.HeldByJournal] != 5*time.Second {
			t.Errorf("held back by %v, in all %v; want by the journal, for five seconds", r.HeldBy, r.HeldFor)
		}
		e.Heal()
	})
}

func TestWhatFailsAloneIsCountedAsRetriedAndSetAside(t *testing.T) {
	config := hourly()
	config.Reaper.BatchDelay = -1
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		e.Advance(time.Second)
		e.Post("group:2", "ann", 1)
		bad := string(persistence.HeadKey("group:1"))
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for _, g := range b.Groups {
				for _, d := range g.Deletes {
					if string(d.Key) == bad {
						return errors.New("no")
					}
				}
			}
			return nil
		}})
		e.Advance(time.Hour + 30*time.Second)
		for i := range 3 { // others show that the store is not to blame
			e.Post(fmt.Sprintf("later:%d", i), "ann", 1)
		}
		e.Advance(2 * time.Hour)
		r := e.Stats().Reaper
		if r.SetAside == 0 || r.Retried < 2 || r.Expired != 4 || r.Batched < r.Expired+r.Retried || r.Due < r.Judged {
			t.Errorf("got %+v, want one generation tried again and set aside, and 4 deleted", r)
		}
		e.Heal()
		e.Advance(time.Hour)
		if r := e.Stats().Reaper; r.Expired != 5 || r.Lateness.Count() != 5 || r.Lateness.Quantile(1) < 2*time.Hour || r.Lateness.Quantile(0.6) > time.Minute {
			t.Errorf("afterwards: %d deleted, %d measured, up to %v late; want 5, one of them hours late", r.Expired, r.Lateness.Count(), r.Lateness.Quantile(1))
		}
	})
}
