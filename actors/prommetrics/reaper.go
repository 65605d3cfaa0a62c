package prommetrics

import (
	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/histogram"
)

func reaperMetrics() []metric[actors.Stats] {
	return []metric[actors.Stats]{
		gauge("reaper_pending_generations", "Generations that the reaper is dealing with; the rest waits in the due index.",
			func(s *actors.Stats) float64 { return float64(s.Reaper.Pending) }),
		gauge("reaper_oldest_overdue_seconds", "How long the oldest of those has been over its deadline.", func(s *actors.Stats) float64 { return seconds(s.Reaper.Oldest) }),
		gauge("reaper_next_due_timestamp_seconds", "When the due index must be looked at next, by the engine's clock; 0: it is not known that it must.",
			func(s *actors.Stats) float64 {
				if s.Reaper.NextDue.IsZero() {
					return 0
				}
				return float64(s.Reaper.NextDue.UnixMicro()) / 1e6
			}),
		counter("reaper_due_total", "Due entries found.", func(s *actors.Stats) float64 { return float64(s.Reaper.Due) }),
		counter("reaper_judged_total", "Due entries given to their conversations to judge.", func(s *actors.Stats) float64 { return float64(s.Reaper.Judged) }),
		counter("reaper_rearmed_total", "Among those, the ones that turned out to be due later.", func(s *actors.Stats) float64 { return float64(s.Reaper.Rearmed) }),
		counter("reaper_batches_total", "Batches of deletions carried out.", func(s *actors.Stats) float64 { return float64(s.Reaper.Batches) }),
		counter("reaper_batched_generations_total", "Generations put into batches, once for each attempt.",
			func(s *actors.Stats) float64 { return float64(s.Reaper.Batched) }),
		counter("reaper_retried_generations_total", "Among those, the ones that had been tried before.", func(s *actors.Stats) float64 { return float64(s.Reaper.Retried) }),
		counter("reaper_quarantined_generations_total", "Generations that failed alone, again and again, and were left alone for a while.",
			func(s *actors.Stats) float64 { return float64(s.Reaper.SetAside) }),
		counter("reaper_deleted_generations_total", "Generations deleted.", func(s *actors.Stats) float64 { return float64(s.Reaper.Expired) }),
		counter("reaper_deleted_rows_total", "Rows of generations deleted.", func(s *actors.Stats) float64 { return float64(s.Reaper.Rows) }),
		counter("reaper_pruned_rows_total", "Rows deleted because no cursor asks for them any more.", func(s *actors.Stats) float64 { return float64(s.Reaper.Pruned) }),
		counter("reaper_failures_total", "Attempts to find, delete or prune that failed and are made again.", func(s *actors.Stats) float64 { return float64(s.Reaper.Failures) }),
		gauge("reaper_backlog", "Generations that are due, about.", func(s *actors.Stats) float64 { return float64(s.Reaper.Backlog) }),
		gauge("reaper_eta_seconds", "When that is gone, at the rate of now.", func(s *actors.Stats) float64 { return seconds(s.Reaper.ETA) }),
		gauge("reaper_rows_per_second", "Rows of generations deleted, over the last half second or so.", func(s *actors.Stats) float64 { return s.Reaper.Rate }),
		gauge("reaper_pace_rows_per_second", "Rows that may be deleted, as the pace is steered; 0: any number.", func(s *actors.Stats) float64 { return s.Reaper.Pace }),
		gauge("reaper_felt_seconds", "How long the journal's batches take to get into the store, as the pace saw it last.", func(s *actors.Stats) float64 { return seconds(s.Reaper.Felt) }),
		gauge("reaper_quiet_seconds", "How long they take without deletions beside them.", func(s *actors.Stats) float64 { return seconds(s.Reaper.Quiet) }),
		histograms("reaper_lateness_seconds", "How long after its deadline each generation was gone, durably.", nil,
			func(s *actors.Stats, yield func(*histogram.Histogram, ...string)) { yield(&s.Reaper.Lateness) }),
		gauges("reaper_held_back", "1 for what keeps the reaper from its next batch just now.", []string{"by"},
			func(s *actors.Stats, yield func(float64, ...string)) {
				for by := range s.Reaper.HeldFor {
					yield(bit(by == s.Reaper.HeldBy), string(by))
				}
			}),
		counters("reaper_held_back_seconds_total", "For how long each has kept the reaper from its next batch.", []string{"by"},
			func(s *actors.Stats, yield func(float64, ...string)) {
				for by, d := range s.Reaper.HeldFor {
					yield(seconds(d), string(by))
				}
			}),
		gauge("forget_users", "Users that are being forgotten.", func(s *actors.Stats) float64 { return float64(s.Forget.Users) }),
		gauge("forget_remaining_conversations", "Conversations that have yet to forget one of them, as far as they were counted.",
			func(s *actors.Stats) float64 { return float64(s.Forget.Remaining) }),
		gauge("forget_oldest_seconds", "How long ago the oldest of the orders to forget was given.", func(s *actors.Stats) float64 { return seconds(s.Forget.Oldest) }),
		counter("forget_conversations_total", "Conversations that forgot a user.", func(s *actors.Stats) float64 { return float64(s.Forget.Forgotten) }),
		counter("forget_users_total", "Users forgotten by all of theirs.", func(s *actors.Stats) float64 { return float64(s.Forget.Done) }),
	}
}
