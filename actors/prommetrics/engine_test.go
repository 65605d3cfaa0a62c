package prommetrics

import (
	"context"
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

// busy is an engine in which everything happens soon.
func busy() actors.Config {
	return actors.Config{
		Default:     conversation.Policy{ExpireAfter: time.Hour},
		Namespaces:  map[string]conversation.Policy{"keep": {}},
		CensusEvery: time.Minute, SyncHorizon: 6 * time.Hour, IdleAfter: time.Minute, WatchBuffer: 1,
	}
}

// everything has each thing happen that is counted.
func everything(t *testing.T, e *actorstest.Engine) {
	t.Helper()
	watch, err := e.Watch(t.Context(), actors.WatchQuery{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	next, stop := context.WithTimeout(t.Context(), 24*time.Hour)
	defer stop()
	e.Post("keep:1", "ann", 1, "bob")
	e.Post("group:1", "ann", 1, "bob")
	e.Advance(time.Second)
	e.Post("group:2", "ann", 1, "bob")
	for _, err := range watch.Events(next) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	for range 2 {
		if _, err := e.Conversations(t.Context(), actors.ListQuery{User: "bob"}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob"}); err != nil {
			t.Fatal(err)
		}
		e.BadgeOf("bob")
		e.Advance(30 * time.Minute)
		e.Post("group:1", "ann", 2)
	}
	// The first attempts at deletions fail, and one of group:2 for some time more.
	fail, bad := true, string(persistence.HeadKey("group:2"))
	e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
		for i := range b.Groups {
			for _, d := range b.Groups[i].Deletes {
				if fail || string(d.Key) == bad {
					return errors.New("no")
				}
			}
		}
		return nil
	}})
	e.Advance(time.Hour)
	fail = false
	for i := range 20 {
		e.Post(fmt.Sprintf("group:later%d", i), "ann", 1)
		e.Advance(10 * time.Minute)
	}
	e.Heal()
	// A journal that cannot write: somebody is told so, others wait.
	e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return persistence.ErrStoreFull }})
	if _, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "keep:1", Change: &conversation.Post{Seq: 2, Sender: "ann"}}); err == nil {
		t.Fatal("a full store took a proposal")
	}
	e.Heal()
	e.Advance(24 * time.Hour)
	given, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = e.Conversations(given, actors.ListQuery{User: "bob"})
	e.Post("keep:1", "ann", 3)
	e.Advance(2 * time.Second)
}

func TestEachCounterCountsWhatHappens(t *testing.T) {
	actorstest.Run(t, busy(), func(t *testing.T, e *actorstest.Engine) {
		everything(t, e)
		families := gather(t, New(e, nil))
		for series, want := range map[string]float64{
			`parley_proposals_received_total`:                          27,
			`parley_proposals_total{ack="committed",result="changed"}`: 26,
			`parley_proposals_total{ack="committed",result="nothing"}`: 1,
			`parley_proposals_uncommitted_total`:                       1,
			`parley_proposals_waiting`:                                 0,
			`parley_proposal_stage_seconds{stage="queue"}`:             27,
			`parley_proposal_stage_seconds{stage="apply"}`:             27,
			`parley_proposal_stage_seconds{stage="journal"}`:           27,
			`parley_proposal_stage_seconds{stage="commit"}`:            27,
			`parley_conversations_active`:                              0,
			`parley_conversations_known`:                               0,
			`parley_conversations_quarantined`:                         0,
			`parley_journal_rows`:                                      0,
			`parley_journal_bytes`:                                     0,
			`parley_reaper_pending_generations`:                        0,
			`parley_reaper_oldest_overdue_seconds`:                     0,
			`parley_reaper_deleted_generations_total`:                  22,
			`parley_reaper_lateness_seconds`:                           22,
			`parley_reaper_held_back{by="pace"}`:                       0,
			`parley_reads_total{what="list"}`:                          2,
			`parley_reads_total{what="sync"}`:                          2,
			`parley_reads_total{what="badge"}`:                         2,
			`parley_read_failures_total{what="list"}`:                  1,
			`parley_read_failures_total{what="badge"}`:                 0,
			`parley_read_seconds{what="list"}`:                         3,
			`parley_store_rows{kind="lineage"}`:                        1,
			`parley_store_rows{kind="unknown"}`:                        0,
			`parley_store_census_duration_seconds`:                     0, // one piece
		} {
			if got := sample(t, families, series); got != want {
				t.Errorf("%s: got %v, want %v", series, got, want)
			}
		}
		// Of these it depends on how work was cut into pieces how many there were.
		for _, series := range []string{
			`parley_conversations_activated_total`, `parley_conversations_passivated_total`, `parley_failures_total`,
			`parley_journal_flushes_total`, `parley_journal_flushed_rows_total`, `parley_journal_failures_total`,
			`parley_reaper_due_total`, `parley_reaper_judged_total`, `parley_reaper_rearmed_total`, `parley_reaper_batches_total`,
			`parley_reaper_batched_generations_total`, `parley_reaper_retried_generations_total`, `parley_reaper_quarantined_generations_total`,
			`parley_reaper_deleted_rows_total`, `parley_reaper_pruned_rows_total`, `parley_reaper_failures_total`,
			`parley_reaper_held_back_seconds_total{by="back_off"}`, `parley_reaper_held_back_seconds_total{by="batch"}`,
			`parley_read_entries_total{what="list"}`, `parley_read_conversations_total{what="list"}`, `parley_read_rows_total{what="sync"}`,
			`parley_watch_changes_total`, `parley_watch_kept_changes`, `parley_watch_kept_bytes`, `parley_watch_kept_oldest_seconds`,
			`parley_store_commit_seconds{by="journal"}`, `parley_store_commit_seconds{by="reaper"}`,
			`parley_store_rows{kind="head"}`, `parley_store_row_bytes{kind="head"}`, `parley_store_census_age_seconds`,
		} {
			if got := sample(t, families, series); got <= 0 {
				t.Errorf("%s: got %v, want more than 0", series, got)
			}
		}
	})
}

func TestWhatWaitsIsShownWithItsAge(t *testing.T) {
	actorstest.Run(t, busy(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		e.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return time.Minute
			}
			return 0
		}})
		e.Advance(time.Hour - 30*time.Second)
		e.ProposeFunc(&actors.Proposal{Conversation: "keep:1", Change: &conversation.Post{Seq: 1, Sender: "ann"}}, func(*actors.Reply) {})
		e.Advance(40 * time.Second)
		families := gather(t, New(e, nil))
		for series, want := range map[string][2]float64{
			`parley_journal_rows`:                          {1, 100},
			`parley_journal_bytes`:                         {100, 100_000},
			`parley_journal_oldest_seconds`:                {40, 40},
			`parley_reaper_pending_generations`:            {1, 1},
			`parley_reaper_oldest_overdue_seconds`:         {9.9, 10},
			`parley_reaper_next_due_timestamp_seconds`:     {0, 0},
			`parley_proposals_waiting`:                     {0, 0},
			`parley_proposals_waiting_oldest_seconds`:      {0, 0},
			`parley_store_commit_seconds{by="journal"}`:    {1, 1},
			`parley_proposal_stage_seconds{stage="apply"}`: {2, 2},
		} {
			if got := sample(t, families, series); got < want[0] || got > want[1] {
				t.Errorf("%s: got %v, want %v to %v", series, got, want[0], want[1])
			}
		}
		e.Heal()
	})
}
