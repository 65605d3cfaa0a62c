package actors

import "time"

// Stats is what the engine counts. Counters grow from zero at Start; the others are as of the call.
type Stats struct {
	Proposals ProposalStats
	Cells     CellStats
	Journal   JournalStats
	Reaper    ReaperStats
	Forget    ForgetStats
	Events    EventStats
	Lists     ReadStats // pages of lists
	Syncs     ReadStats // pages of what changed
	Badges    ReadStats
}

// ReadStats sums up what answers about users' conversations took: see [ReadCost].
type ReadStats struct{ Calls, Entries, Merged, Conversations, Rows, Pending uint64 }

// ProposalStats counts proposals. Received = Applied + Refused + Waiting holds whenever nothing is under way.
type ProposalStats struct {
	Received   uint64 // came through any door
	Applied    uint64 // changed something, or were found to be a repetition
	Refused    uint64 // were answered with an error
	Overloaded uint64 // among those, with ErrOverloaded
	Waiting    uint64 // accepted, not applied or refused yet
}

// CellStats counts conversations in memory.
type CellStats struct {
	Active       int    // have an actor
	Quarantined  int    // refuse everything for a while
	Activations  uint64 // actors spawned
	Passivations uint64 // actors gone without a failure
	Failures     uint64 // panics contained
}

// JournalStats describes what is on its way to the store.
type JournalStats struct {
	Rows     int           // changed, not in the store yet
	Bytes    int           // of those
	Age      time.Duration // of the oldest
	Flushes  uint64        // batches written
	Flushed  uint64        // rows written
	Failures uint64        // attempts failed
	Err      error         // of the last attempt, if it failed
}

// ReaperStats describes expiry.
type ReaperStats struct {
	Pending  int           // generations judged expired that are not deleted yet, as far as they are in memory
	Judged   uint64        // due entries looked at
	Rearmed  uint64        // among those, found to be due later
	Expired  uint64        // generations deleted
	Rows     uint64        // rows deleted
	Batches  uint64        // batches deleted
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
	// HeldBy is what the next batch waits for.
	HeldBy Held
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

// EventStats describes what watchers are told.
type EventStats struct {
	Watchers int    // that are told of changes
	Kept     int    // Changed events in memory
	Bytes    int    // about how many those take
	Changed  uint64 // Changed events recorded
	Gaps     uint64 // gaps told
}
