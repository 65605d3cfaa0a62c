package actors

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// Event is something that happened to a conversation, and is in the store. Exactly one of Expired, Changed and Gap is set. What it points to is shared with
// other watchers and must not be changed.
type Event struct {
	Cursor       string    // where to go on behind this event; see [WatchQuery]
	At           time.Time // when it was committed, by the engine's clock; a gap: when it was found
	Conversation string    // "" for a gap
	Generation   uint64    // 0 for a gap
	Expired      *Expired
	Changed      *Changed
	Gap          *Gap
}

// Expired says that a generation is gone, by its retention or because it was deleted. It is durable: written in the commit of the deletion, and kept for Config.EventsFor.
type Expired struct {
	Reason         persistence.Reason // ReasonExpired or ReasonDeleted
	LastSeq        uint64             // the last message that it reached: the host can cut its log here
	Users          []string           // its members, at most 100
	UsersTruncated bool               // there were more
	Deadline       time.Time          // when the generation was over
	Lateness       time.Duration      // how much later its rows were gone
}

// Changed says that proposals changed a generation. One event stands for all changes that one flush of the journal brought to it, and the last of those is what the
// numbers tell. What becomes of a conversation by itself, when it is judged, is no such change. It is kept in memory alone.
type Changed struct {
	Version uint64   // of the head; a member's own marks do not move it
	LastSeq uint64   // the last message
	Kinds   []string // of the changes, as [conversation.Change] names them, each once, in the order of the wire
	Users   []string // whose memberships changed; empty: all members may see the difference
	Origin  string   // where all of the changes have the same
}

// Gap says that events were lost to this watcher before this point. It goes on with what is left.
type Gap struct {
	// Changed events were lost: the watcher was away while the engine was restarted, or for longer, or read more slowly, than Config.WatchBuffer allows for. What the
	// conversations are like now is found by reading them.
	Changed bool
	// Expired events were lost: the cursor is older than what Config.EventsFor keeps. Generations that the watcher knows of and that cannot be read any more are gone.
	Expired bool
}
