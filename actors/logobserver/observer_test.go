package logobserver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/logobserver"
	"github.com/parley-im/parley/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record returns the lines that an observer wrote at the level and above.
func record(t *testing.T, level zerolog.Level, act func(*actors.Observer), opts ...logobserver.Option) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	act(logobserver.New(zerolog.New(&out).Level(level), opts...))
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var keys map[string]any
		if err := json.Unmarshal([]byte(line), &keys); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		lines = append(lines, keys)
	}
	return lines
}

var (
	errDisk  = errors.New("the disk is slow")
	deadline = time.Date(2026, 3, 1, 13, 0, 0, 250_000, time.FixedZone("CET", 3600))
)

func TestEachThingIsOneLineWithItsKeys(t *testing.T) {
	tests := []struct {
		name string
		act  func(*actors.Observer)
		want map[string]any
	}{
		{
			"expired",
			func(o *actors.Observer) {
				o.Expired(actors.ExpiredInfo{
					Conversation: "group:42", Generation: 7, Reason: persistence.ReasonExpired, LastSeq: 9, Deadline: deadline,
					Lateness: 1500 * time.Microsecond, Rows: 4, Shard: 200, Event: 3,
				})
			},
			map[string]any{
				"level": "info", "message": "conversation expired", "conversation": "group:42", "generation": 7.0, "reason": "expired", "last_seq": 9.0,
				"deadline": "2026-03-01T12:00:00.00025Z", "lateness_ms": 1.5, "rows": 4.0, "shard": 200.0, "event": 3.0,
			},
		},
		{
			"forgotten in part",
			func(o *actors.Observer) {
				o.ForgetEnd(actors.ForgetInfo{User: "bob", Age: time.Second, Remaining: 5, Conversations: 2, Rows: 9, Attempt: 1, Took: 2 * time.Millisecond})
			},
			map[string]any{
				"level": "debug", "message": "a part of a user's conversations forgot them", "user": "bob", "remaining": 5.0, "conversations": 2.0, "rows": 9.0,
				"age_ms": 1000.0, "attempt": 1.0, "took_ms": 2.0,
			},
		},
		{
			"forgotten",
			func(o *actors.Observer) { o.ForgetEnd(actors.ForgetInfo{User: "bob", Done: true, Attempt: 1}) },
			map[string]any{
				"level": "info", "message": "user forgotten", "user": "bob", "remaining": 0.0, "conversations": 0.0, "rows": 0.0, "age_ms": 0.0, "attempt": 1.0, "took_ms": 0.0,
			},
		},
		{
			"not forgotten",
			func(o *actors.Observer) { o.ForgetEnd(actors.ForgetInfo{User: "bob", Attempt: 3, Err: errDisk}) },
			map[string]any{
				"level": "warn", "message": "user not forgotten yet", "error": "the disk is slow", "user": "bob", "remaining": 0.0, "conversations": 0.0, "rows": 0.0,
				"age_ms": 0.0, "attempt": 3.0, "took_ms": 0.0,
			},
		},
		{
			"reaped",
			func(o *actors.Observer) {
				o.ReapEnd(actors.ReapInfo{Generations: 2, Rows: 9, Age: time.Second, Attempt: 1, Took: 2 * time.Millisecond})
			},
			map[string]any{
				"level": "debug", "message": "expired rows deleted", "generations": 2.0, "rows": 9.0, "age_ms": 1000.0, "attempt": 1.0, "took_ms": 2.0,
			},
		},
		{
			"pruned",
			func(o *actors.Observer) {
				o.ReapEnd(actors.ReapInfo{Rows: 9, Age: time.Second, Attempt: 1, Took: 2 * time.Millisecond})
			},
			map[string]any{
				"level": "debug", "message": "outdated rows deleted", "generations": 0.0, "rows": 9.0, "age_ms": 1000.0, "attempt": 1.0, "took_ms": 2.0,
			},
		},
		{
			"not reaped",
			func(o *actors.Observer) {
				o.ReapEnd(actors.ReapInfo{Generations: 2, Age: time.Second, Attempt: 3, Took: 2 * time.Millisecond, Err: errDisk})
			},
			map[string]any{
				"level": "warn", "message": "expired rows not deleted yet", "error": "the disk is slow",
				"generations": 2.0, "rows": 0.0, "age_ms": 1000.0, "attempt": 3.0, "took_ms": 2.0,
			},
		},
		{
			"memory is short",
			func(o *actors.Observer) { o.Bounded(actors.BoundedInfo{Before: 4, Bound: 3, Used: 9, Limit: 10}) },
			map[string]any{
				"level": "warn", "message": "memory is short: fewer conversations may be active", "before": 4.0, "bound": 3.0, "used_bytes": 9.0, "limit_bytes": 10.0,
			},
		},
		{
			"memory has room",
			func(o *actors.Observer) { o.Bounded(actors.BoundedInfo{Before: 3, Bound: 4, Used: 5, Limit: 10}) },
			map[string]any{
				"level": "info", "message": "memory has room again: more conversations may be active", "before": 3.0, "bound": 4.0, "used_bytes": 5.0, "limit_bytes": 10.0,
			},
		},
		{
			"flushed",
			func(o *actors.Observer) {
				o.FlushEnd(actors.FlushInfo{Conversations: 2, Rows: 9, Bytes: 800, Age: time.Millisecond, Attempt: 1, Took: 2 * time.Millisecond})
			},
			map[string]any{
				"level": "debug", "message": "journal flushed", "conversations": 2.0, "rows": 9.0, "bytes": 800.0, "age_ms": 1.0, "attempt": 1.0, "took_ms": 2.0,
			},
		},
		{
			"not flushed",
			func(o *actors.Observer) {
				o.FlushEnd(actors.FlushInfo{Conversations: 2, Rows: 9, Attempt: 2, Err: errDisk})
			},
			map[string]any{
				"level": "warn", "message": "journal not flushed yet", "error": "the disk is slow",
				"conversations": 2.0, "rows": 9.0, "bytes": 0.0, "age_ms": 0.0, "attempt": 2.0, "took_ms": 0.0,
			},
		},
		{
			"a conversation that goes on",
			func(o *actors.Observer) {
				o.Failed(actors.FailedInfo{What: "conversation", Conversation: "group:42", Reason: "index out of range", Failures: 1})
			},
			map[string]any{
				"level": "warn", "message": "failure contained", "what": "conversation", "conversation": "group:42", "reason": "index out of range",
				"failures": 1.0,
			},
		},
		{
			"a conversation in quarantine",
			func(o *actors.Observer) {
				o.Failed(actors.FailedInfo{What: "store", Conversation: "group:42", Reason: errDisk, Failures: 5, Quarantined: deadline})
			},
			map[string]any{
				"level": "error", "message": "failure contained", "what": "store", "conversation": "group:42", "reason": "the disk is slow", "failures": 5.0,
				"quarantined_until": "2026-03-01T12:00:00.00025Z",
			},
		},
		{
			"the reaper",
			func(o *actors.Observer) { o.Failed(actors.FailedInfo{What: "reaper", Reason: errDisk, Failures: 2}) },
			map[string]any{"level": "error", "message": "failure contained", "what": "reaper", "reason": "the disk is slow", "failures": 2.0},
		},
		{
			"unanswered",
			func(o *actors.Observer) {
				o.Unanswered(actors.UnansweredInfo{Conversation: "group:42", Kind: "post", Err: errDisk})
			},
			map[string]any{
				"level": "warn", "message": "proposal refused, and nobody waits for the answer", "conversation": "group:42", "change": "post",
				"error": "the disk is slow",
			},
		},
		{
			"a slow list",
			func(o *actors.Observer) {
				o.Read(actors.ReadInfo{
					What: "list", User: "ann", Cost: actors.ReadCost{Entries: 5, Merged: 4, Conversations: 3, Rows: 2, Pending: 1}, Took: 100 * time.Millisecond,
				})
			},
			map[string]any{
				"level": "warn", "message": "slow read", "what": "list", "user": "ann", "entries": 5.0, "merged": 4.0, "conversations": 3.0, "rows": 2.0,
				"pending": 1.0, "took_ms": 100.0,
			},
		},
		{
			"a slow badge that there is not",
			func(o *actors.Observer) {
				o.Read(actors.ReadInfo{What: "badge", User: "ann", Took: time.Second, Err: errDisk})
			},
			map[string]any{
				"level": "warn", "message": "slow read", "error": "the disk is slow", "what": "badge", "user": "ann", "entries": 0.0, "merged": 0.0,
				"conversations": 0.0, "rows": 0.0, "pending": 0.0, "took_ms": 1000.0,
			},
		},
		{
			"a slow proposal",
			func(o *actors.Observer) {
				o.Proposed(actors.ProposedInfo{
					Conversation: "group:42", Kind: "post", Ack: actors.AckCommitted, Result: actors.ResultChanged,
					Queue: 100 * time.Millisecond, Apply: 2 * time.Millisecond, Journal: 30 * time.Millisecond, Commit: 368 * time.Millisecond,
				})
			},
			map[string]any{
				"level": "warn", "message": "slow proposal", "conversation": "group:42", "change": "post", "ack": "committed", "result": "changed",
				"queue_ms": 100.0, "apply_ms": 2.0, "journal_ms": 30.0, "commit_ms": 368.0, "took_ms": 500.0,
			},
		},
		{
			"a slow proposal that the store does not take",
			func(o *actors.Observer) {
				o.Proposed(actors.ProposedInfo{Conversation: "group:42", Kind: "read", Ack: actors.AckDefault, Commit: time.Second, Err: errDisk})
			},
			map[string]any{
				"level": "warn", "message": "slow proposal", "error": "the disk is slow", "conversation": "group:42", "change": "read", "ack": "default",
				"result": "changed", "queue_ms": 0.0, "apply_ms": 0.0, "journal_ms": 0.0, "commit_ms": 1000.0, "took_ms": 1000.0,
			},
		},
		{
			"draining",
			func(o *actors.Observer) { o.StopBegin(actors.StopInfo{Active: 3, Queued: 2, JournalRows: 1}) },
			map[string]any{"level": "info", "message": "draining", "active": 3.0, "queued": 2.0, "journal_rows": 1.0},
		},
		{
			"drained",
			func(o *actors.Observer) {
				o.StopEnd(actors.StopInfo{Active: 3, Queued: 2, JournalRows: 1, Took: 12 * time.Millisecond})
			},
			map[string]any{"level": "info", "message": "drained", "active": 3.0, "queued": 2.0, "journal_rows": 1.0, "took_ms": 12.0},
		},
		{
			"not drained",
			func(o *actors.Observer) { o.StopEnd(actors.StopInfo{Active: 3, Err: errDisk}) },
			map[string]any{
				"level": "error", "message": "not drained", "error": "the disk is slow", "active": 3.0, "queued": 0.0, "journal_rows": 0.0, "took_ms": 0.0,
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff([]map[string]any{test.want}, record(t, zerolog.DebugLevel, test.act)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheLevelIsTheLoggers(t *testing.T) {
	act := func(o *actors.Observer) {
		o.FlushEnd(actors.FlushInfo{})
		o.StopBegin(actors.StopInfo{})
		o.ReapEnd(actors.ReapInfo{Err: errDisk})
	}
	for level, want := range map[zerolog.Level]int{zerolog.DebugLevel: 3, zerolog.InfoLevel: 2, zerolog.WarnLevel: 1, zerolog.Disabled: 0} {
		if got := record(t, level, act); len(got) != want {
			t.Errorf("at %v there are %d lines, want %d: %v", level, len(got), want, got)
		}
	}
}

func TestRefusalsThatNobodyWaitsForDoNotFloodTheLog(t *testing.T) {
	lines := record(t, zerolog.DebugLevel, func(o *actors.Observer) {
		for range 100_000 {
			o.Unanswered(actors.UnansweredInfo{Conversation: "group:42", Kind: "post", Err: errDisk})
		}
		o.StopBegin(actors.StopInfo{})
	})
	var refusals, others int
	for _, line := range lines {
		if line["change"] == "post" {
			refusals++
		} else {
			others++
		}
	}
	if refusals < 10 || refusals > 100 || others != 1 {
		t.Errorf("%d lines of 100,000 refusals and %d others, want ten or so for each second it took, and 1", refusals, others)
	}
}

func TestOnlyProposalsThatTakeAsLongAsIsSlowAreLogged(t *testing.T) {
	took := []time.Duration{0, 4 * time.Millisecond, 496 * time.Millisecond, 500 * time.Millisecond, time.Minute}
	for _, test := range []struct {
		name    string
		options []logobserver.Option
		want    int
	}{
		{"unless it is said", nil, 2},
		{"from a millisecond on", []logobserver.Option{logobserver.SlowPropose(time.Millisecond)}, 4},
		{"all", []logobserver.Option{logobserver.SlowPropose(0)}, 5},
	} {
		got := record(t, zerolog.DebugLevel, func(o *actors.Observer) {
			for _, d := range took {
				// It is the sum that counts.
				o.Proposed(actors.ProposedInfo{Conversation: "group:42", Queue: d / 4, Apply: d / 4, Journal: d / 4, Commit: d / 4})
			}
		}, test.options...)
		if len(got) != test.want {
			t.Errorf("%s: %d of %v are logged, want %d", test.name, len(got), took, test.want)
		}
	}
	if o := logobserver.New(zerolog.Nop(), logobserver.SlowPropose(-1)); o.Proposed != nil {
		t.Error("where none is logged, the engine is to spend nothing on telling")
	}
}

func TestSlowProposalsDoNotFloodTheLog(t *testing.T) {
	lines := record(t, zerolog.DebugLevel, func(o *actors.Observer) {
		for range 100_000 {
			o.Proposed(actors.ProposedInfo{Conversation: "group:42", Commit: time.Second})
		}
	})
	if len(lines) < 10 || len(lines) > 100 {
		t.Errorf("%d lines of 100,000 slow proposals, want ten or so for each second it took", len(lines))
	}
}

func TestOnlyReadsThatTakeAsLongAsIsSlowAreLogged(t *testing.T) {
	took := []time.Duration{0, time.Millisecond, 99 * time.Millisecond, 100 * time.Millisecond, time.Minute}
	for _, test := range []struct {
		name    string
		options []logobserver.Option
		want    int
	}{
		{"unless it is said", nil, 2},
		{"from a millisecond on", []logobserver.Option{logobserver.SlowRead(time.Millisecond)}, 4},
		{"all", []logobserver.Option{logobserver.SlowRead(0)}, 5},
		{"none", []logobserver.Option{logobserver.SlowRead(-1)}, 0},
	} {
		got := record(t, zerolog.DebugLevel, func(o *actors.Observer) {
			for _, d := range took {
				o.Read(actors.ReadInfo{What: "sync", User: "ann", Took: d})
			}
		}, test.options...)
		if len(got) != test.want {
			t.Errorf("%s: %d of %v are logged, want %d", test.name, len(got), took, test.want)
		}
	}
}

func TestSlowReadsDoNotFloodTheLog(t *testing.T) {
	lines := record(t, zerolog.DebugLevel, func(o *actors.Observer) {
		for range 100_000 {
			o.Read(actors.ReadInfo{What: "list", User: "ann", Took: time.Second})
		}
	})
	if len(lines) < 10 || len(lines) > 100 {
		t.Errorf("%d lines of 100,000 slow reads, want ten or so for each second it took", len(lines))
	}
}
