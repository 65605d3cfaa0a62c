package actors

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// Observer is told what the engine does: logs, metrics and tests are observers. Any func may be nil. They are called on the engine's own goroutines and those of callers that wait, several
// at a time, and must return quickly and not call the engine; a func that panics is the program's end.
type Observer struct {
	// Expired: a generation is gone, durably. It is told once, but not at all where the engine ends between the commit and this call, and perhaps twice, once without
	// its users, where the store's answer to the deletion was lost: what must not be missed, or doubled, is in the store's events.
	Expired func(ExpiredInfo)
	// ReapBegin and ReapEnd enclose each attempt at a batch of deletions: of generations, or of rows that Config.SyncHorizon kept.
	ReapBegin func(ReapInfo)
	ReapEnd   func(ReapInfo)
	// ForgetBegin and ForgetEnd enclose each part of the forgetting of a user: some conversations do it, or it is made sure that all have.
	ForgetBegin func(ForgetInfo)
	ForgetEnd   func(ForgetInfo)
	// Paced: the reaper's pace, which went one way so far, goes the other. It is not told of each step.
	Paced func(PaceInfo)
	// Bounded: fewer conversations may be active, because memory got short, or more may again: see Config.MemoryLimit.
	Bounded func(BoundedInfo)
	// FlushBegin and FlushEnd enclose each attempt to write a batch of the journal.
	FlushBegin func(FlushInfo)
	FlushEnd   func(FlushInfo)
	// Proposed: a proposal is about to be answered, or was applied or refused where nobody waits. It is called for every proposal, on the goroutine of a worker of conversations, of
	// the journal or of the proposer, which all wait meanwhile: where it is nil nothing is spent on it, and [Engine.Stats] has the same in sum.
	Proposed func(ProposedInfo)
	// Read: a user's list, badge or changes were asked for, and read or not. It is called on the asker's goroutine. What was refused before anything was read is not told.
	Read func(ReadInfo)
	// Failed: a conversation, a shard or the reaper panicked, or the store would not take a conversation's rows.
	Failed func(FailedInfo)
	// Unanswered: a proposal that nobody waits for was refused.
	Unanswered func(UnansweredInfo)
	// StopBegin and StopEnd enclose the engine's drain.
	StopBegin func(StopInfo)
	StopEnd   func(StopInfo)
}

// ExpiredInfo describes one generation that was deleted.
type ExpiredInfo struct {
	Conversation   string
	Generation     uint64
	Reason         persistence.Reason
	LastSeq        uint64
	Users          []string // at most 100
	UsersTruncated bool
	Deadline       time.Time     // when the generation was over
	At             time.Time     // when its deletion was committed, both by the engine's clock
	Lateness       time.Duration // At - Deadline
	Rows           int           // removed
	Shard          persistence.Shard
	Event          uint64 // number of the event in its shard; 0 where the store's answer to the deletion was lost
}

// ReapInfo describes an attempt at a batch of deletions.
type ReapInfo struct {
	Generations int           // that the batch ends; 0: it removes what no cursor asks for any more
	Rows        int           // that it removes; in ReapEnd: that it removed
	Age         time.Duration // how long the oldest generation has been over its deadline, or the age of the oldest row
	Attempt     int           // from 1
	Took        time.Duration // in ReapEnd
	Err         error         // in ReapEnd: the batch will be tried again
}

// ForgetInfo describes a part of the forgetting of a user.
type ForgetInfo struct {
	User          string
	Age           time.Duration // since it was asked for
	Remaining     uint64        // conversations that have yet to do it, about
	Conversations int           // in ForgetEnd: that did it
	Rows          int           // in ForgetEnd: that they wrote or deleted
	Done          bool          // in ForgetEnd: none is left, and that is durable
	Attempt       int           // from 1
	Took          time.Duration // in ForgetEnd
	Err           error         // in ForgetEnd: it will be tried again
}

// PaceInfo describes a turn of the reaper's pace, and what made it turn.
type PaceInfo struct {
	Turn          Turn
	Before        int           // rows a second that might be deleted
	RowsPerSecond int           // that may be deleted now
	Felt, Quiet   time.Duration // how long the journal's batches take to get into the store, and how long they do without a deletion beside them; 0: it is not known
	Waiting       int           // proposals that were accepted and not applied yet
	JournalFill   float64       // how full the journal is: 1 is Config.MaxJournalBytes
	Late          time.Duration // how long the oldest generation could have been gone: since its deadline, or since the engine's start where that was later
}

// BoundedInfo describes how a bound on conversations in memory moved because memory got short, or was so no longer.
type BoundedInfo struct {
	Before, Bound int    // conversations that might, and may, be active
	Used, Limit   uint64 // bytes that the process needs, garbage not counted, and may take
}

// FlushInfo describes an attempt to write a batch of the journal.
type FlushInfo struct {
	Conversations int
	Rows          int
	Bytes         int
	Age           time.Duration // how long the oldest change has been waiting
	Attempt       int           // from 1
	Took          time.Duration // in FlushEnd
	Err           error         // in FlushEnd: the batch will be tried again
}

// ProposedInfo describes a proposal that was dealt with. A stage that it did not come to took no time. What is not measured: the way of the answer to who waits for it.
type ProposedInfo struct {
	Conversation string
	Kind         string // of the change
	Ack          Ack    // asked for
	Result       Result
	// Err is why it was refused or, where Result is ResultChanged or ResultNothing, why the store does not have it (yet).
	Err     error
	Queue   time.Duration // from when it was taken in until its turn began; the reading of rows that it needed is in it
	Apply   time.Duration // its turn
	Journal time.Duration // from then until the journal began to write its batch; this and Commit are 0 where nobody waited for that
	Commit  time.Duration // from then until the store had it, however often that took
}

// ReadInfo describes an answer about a user's conversations.
type ReadInfo struct {
	What string // "list", "sync" or "badge"; of the first two, each page
	User string
	Cost ReadCost
	Took time.Duration
	Err  error // there is no answer: the asker gave up, or the store could not be read
}

// FailedInfo describes a failure that was contained.
type FailedInfo struct {
	What         string // "conversation", "shard", "reaper" or "store"
	Conversation string
	Reason       any       // what was panicked with, or the error
	Failures     int       // in a row
	Quarantined  time.Time // until when; zero: it goes on
}

// UnansweredInfo describes a refused proposal that was sent without asking for a reply.
type UnansweredInfo struct {
	Conversation string
	Kind         string // of the change
	Err          error
}

// StopInfo describes the engine's drain.
type StopInfo struct {
	Active      int           // conversations in memory when it began
	Queued      int           // proposals waiting when it began
	JournalRows int           // rows not in the store when it began
	Took        time.Duration // in StopEnd
	Err         error         // in StopEnd: what did not get done
}
