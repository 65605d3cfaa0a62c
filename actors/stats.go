package actors

import (
	"time"

	"github.com/parley-im/parley/actors/histogram"
)

// Stats is what the engine counts. Counters grow from zero at Start; the others are as of the call.
type Stats struct {
	Proposals ProposalStats
	Cells     CellStats
	Journal   JournalStats
	Reaper    ReaperStats
	Forget    ForgetStats
	Store     StoreStats
	Events    EventStats
	Lists     ReadStats // pages of lists
	Syncs     ReadStats // pages of what changed
	Badges    ReadStats
}

// ReadStats sums up what answers about users' conversations took: see [ReadCost].
type ReadStats struct {
	Calls, Entries, Merged, Conversations, Rows, Pending uint64 // of those that were answered

	Failures uint64              // were not: the asker gave up, or the store could not be read
	Took     histogram.Histogram // of all
}

// ProposalStats counts proposals. Received = Applied + Refused + Waiting holds whenever nothing is under way.
type ProposalStats struct {
	Received    uint64        // came through any door
	Applied     uint64        // changed something, or were found to be a repetition
	Refused     uint64        // were answered with an error, and changed nothing
	Overloaded  uint64        // among those, with ErrOverloaded
	Uncommitted uint64        // among those applied, that were answered with an error: the store did not take them, or not yet
	Waiting     uint64        // accepted, not applied or refused yet
	Queued      int           // bytes of those in queues, about: see Config.MaxQueuedBytes
	Oldest      time.Duration // how long the first of those in any queue has been waiting
	Results     []ResultCount // those applied and refused, by what became of them: every combination, in a fixed order
	Stages      Stages
}

// CellStats counts conversations in memory.
type CellStats struct {
	Known        int    // in memory, with an actor or without: just asked for, or remembered for a failure
	Active       int    // have an actor
	Quarantined  int    // refuse everything for a while
	Activations  uint64 // actors spawned
	Passivations uint64 // actors gone without a failure
	Bound        int    // how many may be active: Config.MaxActive, or less while memory is short
	Evictions    uint64 // conversations asked to passivate because more than that were active
	Packed       int    // lie packed in memory, active ones among them: see Config.MaxPackedBytes
	PackedBytes  int    // that those take
	Visits       uint64 // times that what waited for a conversation was done without an actor
	Unpacked     uint64 // activations and visits that read nothing, for the conversation was packed
	Memory       uint64 // bytes that the process needs, garbage not counted, as of the last second or so; 0 where there is no limit
	MemoryLimit  uint64 // that it may take: see Config.MemoryLimit; 0: there is no limit, or it is not looked at
	Failures     uint64 // panics contained
}

// JournalStats describes what is on its way to the store.
type JournalStats struct {
	Rows     int           // changed, not in the store yet
	Bytes    int           // of those
	Age      time.Duration // of the oldest
	Logs     uint64        // batches logged, so that who waited for them was answered before they were written
	Flushes  uint64        // batches written
	Flushed  uint64        // rows written
	Failures uint64        // attempts failed
	Err      error         // of the last attempt, if it failed
}

// ReaperStats describes expiry.
type ReaperStats struct {
	Pending  int           // generations judged expired that are not deleted yet, as far as they are in memory
	Due      uint64        // due entries found, again and again where that takes several attempts
	Judged   uint64        // among those, that were judged, or given to their conversation to judge
	Rearmed  uint64        // among those, found to be due later
	Expired  uint64        // generations deleted
	Rows     uint64        // rows deleted
	Batches  uint64        // batches deleted
	Batched  uint64        // generations put into batches, once for each attempt
	Retried  uint64        // among those, that had been tried before
	SetAside uint64        // generations that failed alone, again and again, and were left alone for a while
	Pruned   uint64        // rows deleted because no cursor asks for them any more: see Config.SyncHorizon. They are not among Rows, nor in Batches.
	Failures uint64        // attempts failed, of either
	Oldest   time.Duration // how long the oldest pending generation has been over its deadline
	NextDue  time.Time     // when a due entry must be looked at next; zero: none is known
	Err      error         // of the last attempt, if it failed

	// Backlog is about how many generations are due, in memory and in the index: as they were counted within the last ten seconds, less what was done since. They have not all been judged.
	Backlog int
	// ETA is when the backlog is gone if nothing comes to it, at the rate of deletions, or at the pace where nothing was deleted lately. 0: there is none, or no telling.
	ETA  time.Duration
	Rate float64 // rows deleted a second, over the last half second or so
	Pace float64 // rows a second that may be deleted; 0: any number
	// HeldBy is what the next batch waits for, and HeldFor how long each has held it, in all.
	HeldBy  Held
	HeldFor map[Held]time.Duration
	// Lateness is how long after its deadline each generation was gone, durably.
	Lateness histogram.Histogram
	// Felt is how long the journal's batches took lately to get into the store, as the pace saw it last, and Quiet how long they take without a deletion beside them. 0: it is not known.
	Felt, Quiet time.Duration
}

// ForgetStats describes the forgetting of users: see [Engine.ForgetUser].
type ForgetStats struct {
	Users     int           // that are being forgotten
	Remaining uint64        // conversations that have yet to forget one of them, as far as they were counted
	Oldest    time.Duration // how long ago the oldest of the orders was given that are not carried out yet
	Forgotten uint64        // conversations that forgot a user
	Done      uint64        // users who were forgotten by all of theirs
}

// StoreStats describes the store, as the engine sees it.
type StoreStats struct {
	// How long commits took until they were answered, those that failed too: of the journal, and of the reaper with all that removes rows.
	JournalCommits, ReaperCommits histogram.Histogram
	Census                        Census
}

// EventStats describes what watchers are told.
type EventStats struct {
	Watchers int           // that are told of changes
	Kept     int           // Changed events in memory
	Bytes    int           // about how many those take
	Oldest   time.Duration // how long the oldest of those has been kept: a watcher that is further behind is told of a gap
	Changed  uint64        // Changed events recorded
	Gaps     uint64        // gaps told
}
