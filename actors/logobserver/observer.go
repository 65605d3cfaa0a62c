// Package logobserver writes what an engine does to a zerolog logger, one line for each thing that happened.
//
// The keys are those of the whole project: a conversation is "conversation" and a count of rows "rows" wherever they appear. Durations are
// milliseconds and say so in their key; times are RFC 3339 in UTC.
package logobserver

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
)

// unansweredPerSecond bounds the lines about proposals that nobody waits for: an overloaded engine refuses many at once, and counts them all.
const unansweredPerSecond = 10

// slowReadsPerSecond bounds the lines about slow reads: where one user's list is slow, those of many may be.
const slowReadsPerSecond = 10

// slowProposalsPerSecond bounds the lines about slow proposals: where the store is slow, all are.
const slowProposalsPerSecond = 10

// DefaultSlowPropose is what SlowPropose is unless it is given.
const DefaultSlowPropose = 500 * time.Millisecond

// DefaultSlowRead is what SlowRead is unless it is given.
const DefaultSlowRead = 100 * time.Millisecond

// Option changes what an observer logs.
type Option func(*options)

type options struct{ slowRead, slowPropose time.Duration }

// SlowRead has lists, badges and syncs logged that took so long or longer; 0: all of them; negative: none. Without it that is DefaultSlowRead.
func SlowRead(least time.Duration) Option { return func(o *options) { o.slowRead = least } }

// SlowPropose has proposals logged that took so long or longer, with how long each of their stages did; 0: all of them; negative: none. Without it that is DefaultSlowPropose.
func SlowPropose(least time.Duration) Option { return func(o *options) { o.slowPropose = least } }

// New returns an observer that logs. What expired, users that are forgotten, and the beginning and the end of the drain, are at info; batches, and turns of the reaper's pace, are at debug, and at warn where
// the attempt failed; failures are at error, but at warn where a conversation failed that goes on. Refused proposals that nobody waits for are at
// warn, at most ten a second, and so are slow reads and slow proposals: see [SlowRead] and [SlowPropose].
//
// The observer may be used by several engines at once, as the logger may. Its funcs block for as long as the logger's writer does.
func New(log zerolog.Logger, opts ...Option) *actors.Observer {
	o := options{slowRead: DefaultSlowRead, slowPropose: DefaultSlowPropose}
	for _, option := range opts {
		option(&o)
	}
	slow := log.Sample(&zerolog.BurstSampler{Burst: slowReadsPerSecond, Period: time.Second})
	slowly := log.Sample(&zerolog.BurstSampler{Burst: slowProposalsPerSecond, Period: time.Second})
	sampled := log.Sample(&zerolog.BurstSampler{Burst: unansweredPerSecond, Period: time.Second})
	observer := &actors.Observer{
		Expired:   func(i actors.ExpiredInfo) { expired(&log, &i) },
		ReapEnd:   func(i actors.ReapInfo) { reaped(&log, &i) },
		Paced:     func(i actors.PaceInfo) { paced(&log, &i) },
		Bounded:   func(i actors.BoundedInfo) { bounded(&log, &i) },
		ForgetEnd: func(i actors.ForgetInfo) { forgotten(&log, &i) },
		FlushEnd:  func(i actors.FlushInfo) { flushed(&log, &i) },
		Read: func(i actors.ReadInfo) {
			if o.slowRead >= 0 && i.Took >= o.slowRead {
				readSlowly(&slow, &i)
			}
		},
		Failed:     func(i actors.FailedInfo) { failed(&log, &i) },
		Unanswered: func(i actors.UnansweredInfo) { unanswered(&sampled, &i) },
		StopBegin:  func(i actors.StopInfo) { stopBegun(&log, &i) },
		StopEnd:    func(i actors.StopInfo) { stopEnded(&log, &i) },
	}
	if o.slowPropose >= 0 {
		observer.Proposed = func(i actors.ProposedInfo) {
			if i.Queue+i.Apply+i.Journal+i.Commit >= o.slowPropose {
				proposedSlowly(&slowly, &i)
			}
		}
	}
	return observer
}

func expired(log *zerolog.Logger, i *actors.ExpiredInfo) {
	log.Info().
		Str("conversation", i.Conversation).
		Uint64("generation", i.Generation).
		Stringer("reason", i.Reason).
		Uint64("last_seq", i.LastSeq).
		Str("deadline", stamp(i.Deadline)).
		Float64("lateness_ms", milliseconds(i.Lateness)).
		Int("rows", i.Rows).
		Uint16("shard", uint16(i.Shard)).
		Uint64("event", i.Event).
		Msg("conversation expired")
}

func reaped(log *zerolog.Logger, i *actors.ReapInfo) {
	what := "expired rows"
	if i.Generations == 0 {
		what = "outdated rows"
	}
	log.WithLevel(levelOf(i.Err, zerolog.DebugLevel, zerolog.WarnLevel)).
		Err(i.Err).
		Int("generations", i.Generations).
		Int("rows", i.Rows).
		Float64("age_ms", milliseconds(i.Age)).
		Int("attempt", i.Attempt).
		Float64("took_ms", milliseconds(i.Took)).
		Msg(outcome(i.Err, what+" deleted", what+" not deleted yet"))
}

func forgotten(log *zerolog.Logger, i *actors.ForgetInfo) {
	done, level := "a part of a user's conversations forgot them", zerolog.DebugLevel
	if i.Done {
		done, level = "user forgotten", zerolog.InfoLevel
	}
	log.WithLevel(levelOf(i.Err, level, zerolog.WarnLevel)).
		Err(i.Err).
		Str("user", i.User).
		Int("conversations", i.Conversations).
		Int("rows", i.Rows).
		Uint64("remaining", i.Remaining).
		Float64("age_ms", milliseconds(i.Age)).
		Int("attempt", i.Attempt).
		Float64("took_ms", milliseconds(i.Took)).
		Msg(outcome(i.Err, done, "user not forgotten yet"))
}

func paced(log *zerolog.Logger, i *actors.PaceInfo) {
	log.Debug().
		Int("rows_per_second", i.RowsPerSecond).
		Int("before", i.Before).
		Float64("felt_ms", milliseconds(i.Felt)).
		Float64("quiet_ms", milliseconds(i.Quiet)).
		Int("waiting", i.Waiting).
		Float64("journal_fill", i.JournalFill).
		Float64("late_ms", milliseconds(i.Late)).
		Msg("reaper " + string(i.Turn))
}

func bounded(log *zerolog.Logger, i *actors.BoundedInfo) {
	level, message := zerolog.InfoLevel, "memory has room again: more conversations may be active"
	if i.Bound < i.Before {
		level, message = zerolog.WarnLevel, "memory is short: fewer conversations may be active"
	}
	log.WithLevel(level).
		Int("bound", i.Bound).
		Int("before", i.Before).
		Uint64("used_bytes", i.Used).
		Uint64("limit_bytes", i.Limit).
		Msg(message)
}

func flushed(log *zerolog.Logger, i *actors.FlushInfo) {
	log.WithLevel(levelOf(i.Err, zerolog.DebugLevel, zerolog.WarnLevel)).
		Err(i.Err).
		Int("conversations", i.Conversations).
		Int("rows", i.Rows).
		Int("bytes", i.Bytes).
		Float64("age_ms", milliseconds(i.Age)).
		Int("attempt", i.Attempt).
		Float64("took_ms", milliseconds(i.Took)).
		Msg(outcome(i.Err, "journal flushed", "journal not flushed yet"))
}

// proposedSlowly says what a proposal waited for: others of its conversation, or its rows (queue); the processor (apply); the batch before (journal); the store (commit).
func proposedSlowly(log *zerolog.Logger, i *actors.ProposedInfo) {
	log.Warn().
		Err(i.Err).
		Str("conversation", i.Conversation).
		Str("change", i.Kind).
		Stringer("ack", i.Ack).
		Stringer("result", i.Result).
		Float64("queue_ms", milliseconds(i.Queue)).
		Float64("apply_ms", milliseconds(i.Apply)).
		Float64("journal_ms", milliseconds(i.Journal)).
		Float64("commit_ms", milliseconds(i.Commit)).
		Float64("took_ms", milliseconds(i.Queue+i.Apply+i.Journal+i.Commit)).
		Msg("slow proposal")
}

// readSlowly says what makes a read slow: much that was gone through, of which a part is the same for each page; rows that the store was asked for; or neither, and then the
// machine is.
func readSlowly(log *zerolog.Logger, i *actors.ReadInfo) {
	log.Warn().
		Err(i.Err).
		Str("what", i.What).
		Str("user", i.User).
		Int("entries", i.Cost.Entries).
		Int("merged", i.Cost.Merged).
		Int("conversations", i.Cost.Conversations).
		Int("rows", i.Cost.Rows).
		Int("pending", i.Cost.Pending).
		Float64("took_ms", milliseconds(i.Took)).
		Msg("slow read")
}

func failed(log *zerolog.Logger, i *actors.FailedInfo) {
	level := zerolog.ErrorLevel
	if i.Conversation != "" && i.Quarantined.IsZero() {
		level = zerolog.WarnLevel
	}
	event := log.WithLevel(level).
		Str("what", i.What).
		Str("reason", fmt.Sprint(i.Reason)).
		Int("failures", i.Failures)
	if i.Conversation != "" {
		event = event.Str("conversation", i.Conversation)
	}
	if !i.Quarantined.IsZero() {
		event = event.Str("quarantined_until", stamp(i.Quarantined))
	}
	event.Msg("failure contained")
}

func unanswered(log *zerolog.Logger, i *actors.UnansweredInfo) {
	log.Warn().
		Str("conversation", i.Conversation).
		Str("change", i.Kind).
		Err(i.Err).
		Msg("proposal refused, and nobody waits for the answer")
}

func stopBegun(log *zerolog.Logger, i *actors.StopInfo) {
	log.Info().
		Int("active", i.Active).
		Int("queued", i.Queued).
		Int("journal_rows", i.JournalRows).
		Msg("draining")
}

func stopEnded(log *zerolog.Logger, i *actors.StopInfo) {
	log.WithLevel(levelOf(i.Err, zerolog.InfoLevel, zerolog.ErrorLevel)).
		Err(i.Err).
		Int("active", i.Active).
		Int("queued", i.Queued).
		Int("journal_rows", i.JournalRows).
		Float64("took_ms", milliseconds(i.Took)).
		Msg(outcome(i.Err, "drained", "not drained"))
}

func levelOf(err error, done, failed zerolog.Level) zerolog.Level {
	if err != nil {
		return failed
	}
	return done
}

func outcome(err error, done, failed string) string {
	if err != nil {
		return failed
	}
	return done
}

// milliseconds keeps microseconds. The logger's own durations depend on a setting of the whole process.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
