package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// Limits on one change. Together they keep the rows of any one proposal within one transaction of the store.
const (
	MaxPreview  = 512   // bytes of a preview
	MaxMentions = 100   // users named by a post
	MaxUsers    = 1_000 // users of a join or a leave, and members of a post
	MaxOrigin   = 64    // bytes of a proposal's origin
	MaxCustom   = 1_024 // bytes of a member's custom data
	MaxDraft    = 4_096 // bytes of a draft's text
)

// Change is one of *[Post], *[Amend], *[Join], *[Leave], *[Read], *[Deliver], *[MarkUnread], *[Clear], *[Set], *[Hold],
// *[Delete] and *[Rewind], which are proposed, and *[Forget], which is not. A change is immutable
// once it was proposed.
type Change interface {
	// Kind names the change as the wire does: "post", "join", …
	Kind() string
	// check returns the first fault in the change taken by itself.
	check() error
	// touches calls yield with each user whose membership the change reads or writes.
	touches(yield func(user string))
}

// Post says that a message was stored in the host's log. Its sender has thereby read up to it (unless Unattended) and becomes a member
// (unless they left). It begins a conversation, or the next generation of one that expired.
type Post struct {
	Seq        uint64    // the message's number: above the last by at most the namespace's MaxSeqJump; the first may be any
	Sender     string    // the user
	SentAt     time.Time // for display and order, cut to now; zero: now. Deadlines follow the engine's clock instead.
	Preview    []byte    // opaque, at most MaxPreview bytes
	Mentions   []string  // users named, at most MaxMentions
	MentionAll bool
	Silent     bool     // counts for nobody's unread, unhides nothing, extends nothing
	Unattended bool     // a bot or a scheduled send: the sender's read-to stays
	Members    []string // who takes part: those who are not members, or left, join at this message; at most MaxUsers
}

// Amend says that a message was edited, or taken back, in the host's log. It must have been posted: an amendment that overtakes its post is refused as invalid.
type Amend struct {
	Seq       uint64
	Preview   []byte // the new one, where the message is the last; nil: it stays. At most MaxPreview bytes.
	Retracted bool   // the message no longer counts as unread or as a mention. That is kept for the last 1,024 messages, and cannot be undone.
}

// Join makes users members, or brings those back who left. It begins a conversation, or the next generation of one that expired.
type Join struct {
	Users       []string // 1 to MaxUsers
	VisibleFrom uint64   // the first message they may see; 0: the next
	UnreadFrom  uint64   // the first message that counts as unread; 0: the next
}

// Leave ends memberships. It sticks until a Join or a Post's Members.
type Leave struct {
	Users []string // 1 to MaxUsers
	Keep  bool     // the conversation stays in the users' lists, frozen at the last message
}

// Read says that a user has read up to a message. It never goes back, and may run ahead of the post by the namespace's MaxSeqJump.
type Read struct {
	User string
	Seq  uint64
}

// Deliver says that messages up to one have reached a user's device. It never goes back, and may run ahead of the post as Read may. Where the
// conversation has more members than the namespace keeps receipts for, it changes nothing.
type Deliver struct {
	User string
	Seq  uint64
}

// MarkUnread makes a message the first unread one, and marks the conversation, until the next Read, or a post of the user's own, by which they have read. It is the
// one change by which read-to goes back.
type MarkUnread struct {
	User string
	Seq  uint64 // one of the last 256; 0: only the mark
}

// Clear takes a conversation's history up to a message away from one user. It never goes back.
type Clear struct {
	User string
	Seq  uint64
	Hide bool // also leave it out of the user's list until the next message
}

// Set changes a member's own settings. Fields that are nil stay as they are.
type Set struct {
	User       string
	Pin        *uint64           // sort key among the pinned, larger first; 0 unpins
	MutedUntil *time.Time        // the zero time, or one up to the epoch: not muted; at most the year 9999, which stands for ever
	Hide       *persistence.Hide // HideUntilMessage hides until the next message that is not silent
	Tags       *uint64           // 64 flags of the host's
	Custom     []byte            // of the host's, at most MaxCustom bytes; empty, but not nil, takes it away
	Draft      *Draft
}

// Draft is an unsent message. Of several, the one edited last stays, in whatever order they come.
type Draft struct {
	Text     []byte    // at most MaxDraft bytes; empty: there is no draft any more
	EditedAt time.Time // cut to now; zero: now
}

// Hold keeps a conversation from expiring and from being deleted, or ends that. Retention goes on counting meanwhile: a conversation whose retention has run out is
// over as soon as it is released.
type Hold struct{ On bool }

// Delete ends the generation now. The proposal must name it in IfGeneration.
type Delete struct{}

// Rewind takes messages back that were none: a wrong number got in, and the numbers that the host's log gives out now are below it. It is an operator's act, and
// not on the wire's Propose. The last message is then To, of unknown sender until it is posted again; nobody has seen, read or cleared anything after it; no deadline moves. Of
// a conversation that is over it begins the next generation, without members. What members had read, or marked, of messages that are taken back is lost.
type Rewind struct {
	From uint64 // the last message's number now: where it is another, the change is refused with ErrConflict, so that a repeat takes nothing more back
	To   uint64 // the last message that stays; 0: none
}

// Kind returns "post".
func (*Post) Kind() string { return "post" }

// Kind returns "join".
func (*Join) Kind() string { return "join" }

// Kind returns "leave".
func (*Leave) Kind() string { return "leave" }

// Kind returns "read".
func (*Read) Kind() string { return "read" }

// Kind returns "clear".
func (*Clear) Kind() string { return "clear" }

// Kind returns "amend".
func (*Amend) Kind() string { return "amend" }

// Kind returns "deliver".
func (*Deliver) Kind() string { return "deliver" }

// Kind returns "mark_unread".
func (*MarkUnread) Kind() string { return "mark_unread" }

// Kind returns "set".
func (*Set) Kind() string { return "set" }

// Kind returns "hold".
func (*Hold) Kind() string { return "hold" }

// Kind returns "delete".
func (*Delete) Kind() string { return "delete" }

// Kind returns "rewind".
func (*Rewind) Kind() string { return "rewind" }

// Subject returns the one user whom a change is about, and whether it is about one.
func Subject(change Change) (user string, ok bool) {
	switch c := change.(type) {
	case *Read:
		return c.User, true
	case *Deliver:
		return c.User, true
	case *MarkUnread:
		return c.User, true
	case *Clear:
		return c.User, true
	case *Set:
		return c.User, true
	case *Join:
		return c.Users[0], len(c.Users) == 1
	case *Leave:
		return c.Users[0], len(c.Users) == 1
	}
	return "", false
}
