package conversation

import (
	"time"
)

// Limits on one change. Together they keep the rows of any one proposal within one transaction of the store.
const (
	MaxPreview  = 512   // bytes of a preview
	MaxMentions = 100   // users named by a post
	MaxUsers    = 1_000 // users of a join or a leave, and members of a post
	MaxOrigin   = 64    // bytes of a proposal's origin
)

// Change is one of *[Post], *[Join], *[Leave], *[Read], *[Clear] and *[Delete]. A change is immutable once it was proposed.
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

// Clear takes a conversation's history up to a message away from one user. It never goes back.
type Clear struct {
	User string
	Seq  uint64
	Hide bool // also leave it out of the user's list until the next message
}

// Delete ends the generation now. The proposal must name it in IfGeneration.
type Delete struct{}

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

// Kind returns "delete".
func (*Delete) Kind() string { return "delete" }

// Subject returns the one user whom a change is about, and whether it is about one.
func Subject(change Change) (user string, ok bool) {
	switch c := change.(type) {
	case *Read:
		return c.User, true
	case *Clear:
		return c.User, true
	case *Join:
		return c.Users[0], len(c.Users) == 1
	case *Leave:
		return c.Users[0], len(c.Users) == 1
	}
	return "", false
}
