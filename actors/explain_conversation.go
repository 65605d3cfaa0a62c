package actors

import (
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// ConversationExplanation says what an engine, or a store alone, knows of one conversation, and why it is as it is. Times are those of the engine's clock. What it points to
// must not be changed.
type ConversationExplanation struct {
	Conversation string
	Shard        persistence.Shard
	Now          time.Time // the engine's clock; of a store alone: the wall clock, but never before what the store has seen
	Policy       PolicyExplanation

	Life Life
	// Head is the latest generation's, alive or over and not deleted yet; nil: there is none. Its Floor is the last message that the generations before it are known to have reached; how
	// many there were is not kept.
	Head      *persistence.Head
	Tombstone *TombstoneExplanation    // where Life is LifeBuried
	Deadline  conversation.DeadlineSum // of Head
	Due       DueExplanation           // of Head
	Index     IndexExplanation         // of Head

	Memory  *MemoryExplanation  // nil: a store alone was asked
	Journal *JournalExplanation // likewise
	Reaper  *ReaperExplanation  // likewise
	Changes *ChangesExplanation // likewise

	User *UserExplanation // nil: none was asked for
}

// Epoch returns the epoch of the shard in which a generation was begun, and its number among those that the shard began in it, from 1.
func (*ConversationExplanation) Epoch(generation persistence.Generation) (epoch, number uint64) {
	return uint64(generation) >> counterBits, uint64(generation) & (1<<counterBits - 1)
}

// PolicyExplanation is the policy that applies to the conversation's next change.
type PolicyExplanation struct {
	conversation.Policy

	Namespace string
	Named     bool // the policy is the namespace's own; else it is the default
}

// Life says how far a conversation's latest generation is. The numbers are those of the wire.
type Life uint8

// The lives, in the order in which they come.
const (
	LifeNone     Life = iota // there is no generation, but somebody is trying to begin one, or cannot
	LifeAlive                // its deadline has not come
	LifeOver                 // its deadline has come, and the reaper is not dealing with it: it has yet to look, or the due entry is missing
	LifeJudging              // the reaper has asked whether it is over
	LifeMoved                // its due entry was not the one that the reaper had found: it looks again once the journal is written
	LifeFlushing             // judged over; the journal must be written before anything is deleted
	LifeQueued               // judged over, in the reaper's queue
	LifeDeleting             // in the batch that is being deleted
	LifeBuried               // deleted; a tombstone is left
)

// TombstoneExplanation is what is left of a generation.
type TombstoneExplanation struct {
	Generation persistence.Generation
	LastSeq    uint64
	Event      *persistence.Event // of its deletion; nil: it was not found among the latest MaxEventsRead of its shard
	Until      time.Time          // how long the tombstone is kept, by Event and Config.EventsFor; zero: not known
}

// MaxEventsRead is how many events are gone through to find the one of a tombstone.
const MaxEventsRead = 100_000

// DueExplanation is the due entry that has a generation looked at when its deadline comes.
type DueExplanation struct {
	At      time.Time // the deadline in its key, by the head; zero: the generation has no entry
	Present bool      // the entry is in the index, or on its way there
	Pending bool      // it is not in the store yet
	// Early is how much earlier than the deadline the entry stands: when it comes due, the generation is judged alive and the entry moved. It is 0 where there is no deadline either.
	Early time.Duration
	// LooksFrom and LooksAt say when the reaper next looks at the shard's index, and from which deadline on. Zero: not before somebody gives it a reason to, or a store alone was
	// asked. An entry that is due already and is looked at later was put aside for a while.
	LooksFrom, LooksAt time.Time
}

// MemoryState says what an engine has of a conversation in memory. The numbers are those of the wire.
type MemoryState uint8

// The states.
const (
	MemoryNone        MemoryState = iota
	MemoryPassive                 // nothing: the next proposal, or judgement, has its rows read
	MemoryActivating              // its rows are being read, or an actor before it has yet to end
	MemoryActive                  // it has an actor
	MemoryWaiting                 // it has an actor, which waits for memberships to be read
	MemoryQuarantined             // it refuses everything until a time
	MemoryPacked                  // it has no actor; what comes next reads nothing
)

// MemoryExplanation is what an engine has of a conversation in memory. It is as of a moment of its own, between the call and its return.
type MemoryExplanation struct {
	State    MemoryState
	Queued   int       // proposals that wait
	LastUsed time.Time // when the last proposal was handled, or else when it came into memory; zero where it is passive or packed
	Failures int       // in a row
	Until    time.Time // of MemoryQuarantined
	Reason   error     // likewise: why
}

// JournalExplanation is what of a conversation is not in the store yet.
type JournalExplanation struct {
	// How many rows are to be written, or deleted: of the head, its tail and roster; of users; of the index of lists; due entries. A row that is in two batches counts twice.
	HeadRows, MemberRows, EntryRows, DueRows int

	Bytes   int
	Age     time.Duration // since the oldest batch with any of them was begun
	Batch   uint64        // the last batch with any of them; 0: there are none
	Writing bool          // a batch with some of them is being written
	Durable bool          // all of them are in the store's log: a crash takes none of them back
	Flushed uint64        // the last batch, of all conversations, that is in the store
	Err     error         // why the last attempt to write, of all conversations, failed; nil: it did not
	Failed  uint64        // attempts that failed since the engine started, of all conversations
	Barred  error         // why nothing of the conversation is taken: the store would not have its rows
}

// Rows returns how many rows there are.
func (j *JournalExplanation) Rows() int { return j.HeadRows + j.MemberRows + j.EntryRows + j.DueRows }

// IndexExplanation says by which entries the conversation is found in its members' lists. An entry stands under a moment at most an hour before what it is found by, and moves about once an hour.
type IndexExplanation struct {
	Large        bool      // it has, or had, more members than persistence.MaxRoster: theirs are merged entries, which do not move
	Listed       time.Time // where the active entries stand; zero: there are none
	Noticed      time.Time // where the noticed entries stand, for changes that are no posts; zero: there are none
	ListedMoves  time.Time // a post sent from then on moves the active entries; zero: nothing does
	NoticedMoves time.Time // another change from then on, before that, moves the noticed entries
	Roster       []string  // its members, while they are few
}

// UserExplanation says what a user is shown of a conversation, and why.
type UserExplanation struct {
	User string
	// Membership is the user's row, with what was rewound applied; nil: they are no member, nor were they in this generation.
	Membership *persistence.Membership
	Stale      persistence.Generation // where there is a row of an older generation in its place: of which one
	Unread     conversation.UnreadSum
	Muted      bool             // now
	Hide       persistence.Hide // that is in force
	Listed     bool             // the conversation is in the user's list, hidden or not
	Pending    bool             // the row, or one of the entries, is not in the store yet
	Entries    []EntryExplanation
}

// EntryExplanation is an entry of a user's index that should lead to the conversation.
type EntryExplanation struct {
	Kind    persistence.EntryKind
	At      time.Time // where it stands, of the kinds that move
	Moves   time.Time // when at the earliest: at the first such change from then on; zero: it does not
	Present bool      // false: it is not where it should be
}

// ReaperExplanation is what the reaper is doing.
type ReaperExplanation struct {
	// Generations are those of the conversation that it is dealing with, oldest first: besides the latest, those before it that are not deleted yet.
	Generations []ReapExplanation
	Err         error     // why the last attempt at a batch, of any conversations, failed; nil: it did not
	Failures    int       // of batches in a row
	Resumes     time.Time // when the pace, or the back-off, allows the next batch; zero: now
	Waiting     int       // generations in its queue, of all conversations
}

// ReapExplanation is a generation that the reaper is dealing with.
type ReapExplanation struct {
	Generation persistence.Generation
	Stage      Life // LifeJudging to LifeDeleting
	Due        time.Time
	Ahead      int    // of LifeFlushing and LifeQueued: generations before it in the queue
	After      uint64 // of LifeMoved and LifeFlushing: the journal's batch that must be in the store
	Tried      bool   // a batch with it failed, and may have been carried out
	Failures   int    // of batches that it was alone in
}

// ChangesExplanation is what is in memory of the changes that were made last. They are kept for watchers, and only while there are any: see Config.WatchBuffer.
type ChangesExplanation struct {
	Recording bool           // changes are being kept
	Since     time.Time      // the oldest that is kept, of any conversation: earlier ones are not known; zero: there is none
	Changes   []RecentChange // of the conversation, the latest MaxRecentChanges, latest first
}

// MaxRecentChanges is how many changes a [ChangesExplanation] names at most.
const MaxRecentChanges = 16

// RecentChange is all that one flush of the journal brought to a generation.
type RecentChange struct {
	At         time.Time // when it was committed
	Generation uint64
	Changed
}
