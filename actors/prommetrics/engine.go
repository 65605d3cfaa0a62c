package prommetrics

import (
	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/histogram"
)

func proposalMetrics() []metric[actors.Stats] {
	return []metric[actors.Stats]{
		counter("proposals_received_total", "Proposals that came through any door.",
			func(s *actors.Stats) float64 { return float64(s.Proposals.Received) }),
		counters("proposals_total", "Proposals applied (changed, nothing) or refused (all other results), by the ack level that they asked for.",
			[]string{"ack", "result"}, func(s *actors.Stats, yield func(float64, ...string)) {
				for _, r := range s.Proposals.Results {
					yield(float64(r.Count), r.Ack.String(), r.Result.String())
				}
			}),
		counter("proposals_uncommitted_total", "Proposals applied that were answered with an error: the store did not take them, or not yet.",
			func(s *actors.Stats) float64 { return float64(s.Proposals.Uncommitted) }),
		gauge("proposals_waiting", "Proposals taken in that were neither applied nor refused yet.",
			func(s *actors.Stats) float64 { return float64(s.Proposals.Waiting) }),
		gauge("proposals_queued_bytes", "About how many bytes the proposals take that wait for their turn.",
			func(s *actors.Stats) float64 { return float64(s.Proposals.Queued) }),
		gauge("proposals_waiting_oldest_seconds", "How long the first of those in any queue has been waiting.",
			func(s *actors.Stats) float64 { return seconds(s.Proposals.Oldest) }),
		histograms("proposal_stage_seconds",
			"How long proposals took: in the queue, being applied, in the journal until its batch began, being committed. The last two are of those that waited for the store.",
			[]string{"stage"}, func(s *actors.Stats, yield func(*histogram.Histogram, ...string)) {
				yield(&s.Proposals.Stages.Queue, "queue")
				yield(&s.Proposals.Stages.Apply, "apply")
				yield(&s.Proposals.Stages.Journal, "journal")
				yield(&s.Proposals.Stages.Commit, "commit")
			}),
	}
}

func conversationMetrics() []metric[actors.Stats] {
	return []metric[actors.Stats]{
		gauge("conversations_active", "Conversations in memory that have an actor.", func(s *actors.Stats) float64 { return float64(s.Cells.Active) }),
		gauge("conversations_known", "Conversations in memory, with an actor or without.", func(s *actors.Stats) float64 { return float64(s.Cells.Known) }),
		gauge("conversations_quarantined", "Conversations that refuse everything for a while.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Quarantined) }),
		counter("conversations_activated_total", "Actors of conversations begun.", func(s *actors.Stats) float64 { return float64(s.Cells.Activations) }),
		counter("conversations_passivated_total", "Actors of conversations ended without a failure.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Passivations) }),
		counter("conversations_visited_total", "Times that what waited for a conversation was done without an actor.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Visits) }),
		gauge("conversations_bound", "Conversations that may be active: fewer than configured while memory is short.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Bound) }),
		counter("conversations_evicted_total", "Conversations asked to leave because more were active than may be.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Evictions) }),
		gauge("conversations_packed", "Conversations that lie packed in memory, active ones among them.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Packed) }),
		gauge("conversations_packed_bytes", "Memory that those take.", func(s *actors.Stats) float64 { return float64(s.Cells.PackedBytes) }),
		counter("conversations_unpacked_total", "Actors of conversations begun, and visits, without reading the store, for they were packed.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Unpacked) }),
		gauge("memory_used_bytes", "Memory that the process needs, garbage not counted; 0 where it has no limit.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Memory) }),
		gauge("memory_limit_bytes", "Memory that it may take; 0: there is no limit.", func(s *actors.Stats) float64 { return float64(s.Cells.MemoryLimit) }),
		counter("failures_total", "Failures contained: panics, and rows of a conversation that the store or the reaper could not get done with.",
			func(s *actors.Stats) float64 { return float64(s.Cells.Failures) }),
	}
}

func journalMetrics() []metric[actors.Stats] {
	return []metric[actors.Stats]{
		gauge("journal_rows", "Rows changed that are not in the store yet.", func(s *actors.Stats) float64 { return float64(s.Journal.Rows) }),
		gauge("journal_bytes", "Memory that those take, about.", func(s *actors.Stats) float64 { return float64(s.Journal.Bytes) }),
		gauge("journal_oldest_seconds", "How long the oldest of those has been waiting.", func(s *actors.Stats) float64 { return seconds(s.Journal.Age) }),
		counter("journal_logs_total", "Batches of the journal logged, whose proposals were answered before they were written.", func(s *actors.Stats) float64 { return float64(s.Journal.Logs) }),
		counter("journal_flushes_total", "Batches of the journal written.", func(s *actors.Stats) float64 { return float64(s.Journal.Flushes) }),
		counter("journal_flushed_rows_total", "Rows written by those.", func(s *actors.Stats) float64 { return float64(s.Journal.Flushed) }),
		counter("journal_failures_total", "Attempts to write to the store that failed and are made again.",
			func(s *actors.Stats) float64 { return float64(s.Journal.Failures) }),
	}
}

func readMetrics() []metric[actors.Stats] {
	of := func(name, help string, value func(*actors.ReadStats) float64) metric[actors.Stats] {
		return counters(name, help, []string{"what"}, func(s *actors.Stats, yield func(float64, ...string)) {
			yield(value(&s.Lists), "list")
			yield(value(&s.Syncs), "sync")
			yield(value(&s.Badges), "badge")
		})
	}
	return []metric[actors.Stats]{
		of("reads_total", "Pages of lists and of what changed, and badges, answered.", func(r *actors.ReadStats) float64 { return float64(r.Calls) }),
		of("read_failures_total", "Those not answered: the asker gave up, or the store could not be read.",
			func(r *actors.ReadStats) float64 { return float64(r.Failures) }),
		histograms("read_seconds", "How long those took, answered or not.", []string{"what"}, func(s *actors.Stats, yield func(*histogram.Histogram, ...string)) {
			yield(&s.Lists.Took, "list")
			yield(&s.Syncs.Took, "sync")
			yield(&s.Badges.Took, "badge")
		}),
		of("read_entries_total", "Entries of users' indexes gone through for those.", func(r *actors.ReadStats) float64 { return float64(r.Entries) }),
		of("read_merged_entries_total", "Among those, the ones of merged conversations.", func(r *actors.ReadStats) float64 { return float64(r.Merged) }),
		of("read_conversations_total", "Conversations looked at for those.", func(r *actors.ReadStats) float64 { return float64(r.Conversations) }),
		of("read_rows_total", "Rows read from the store for those.", func(r *actors.ReadStats) float64 { return float64(r.Rows) }),
		of("read_pending_rows_total", "Among those, the ones found in the journal as well.", func(r *actors.ReadStats) float64 { return float64(r.Pending) }),
	}
}

func watchMetrics() []metric[actors.Stats] {
	return []metric[actors.Stats]{
		gauge("watchers", "Watchers that are told of changes.", func(s *actors.Stats) float64 { return float64(s.Events.Watchers) }),
		gauge("watch_kept_changes", "Changes kept in memory for watchers.", func(s *actors.Stats) float64 { return float64(s.Events.Kept) }),
		gauge("watch_kept_bytes", "Memory that those take, about.", func(s *actors.Stats) float64 { return float64(s.Events.Bytes) }),
		gauge("watch_kept_oldest_seconds", "How long the oldest of those has been kept: a watcher that is further behind misses changes.",
			func(s *actors.Stats) float64 { return seconds(s.Events.Oldest) }),
		counter("watch_changes_total", "Changes recorded for watchers.", func(s *actors.Stats) float64 { return float64(s.Events.Changed) }),
		counter("watch_gaps_total", "Times that a watcher was told that it missed changes.", func(s *actors.Stats) float64 { return float64(s.Events.Gaps) }),
	}
}
