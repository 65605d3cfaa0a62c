package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// View is what is shown of a conversation, to one user where one asked.
type View struct {
	Conversation string
	Generation   uint64
	Version      uint64
	LastSeq      uint64
	LastSender   string    // empty for a user who may not see the last message
	Preview      []byte    // likewise
	LastActivity time.Time // of the newest message that was not silent
	ExpiresAt    time.Time // zero: never
	Members      uint64
	Held         bool
	Peer         string          // the other one, where exactly two take part and a user asked
	Membership   *MembershipView // the asking user's
}

// MembershipView is what is shown of one user's state in one conversation.
type MembershipView struct {
	User         string
	VisibleFrom  uint64
	VisibleTo    uint64 // 0: open
	ReadSeq      uint64
	DeliveredSeq uint64
	ClearedSeq   uint64
	Unread       uint64 // visible, after read and cleared, not own, not silent, not retracted; exact up to 1,000
	Mentions     uint32 // among those; exact to 64
	MarkedUnread bool
	Pin          uint64
	MutedUntil   time.Time
	Hide         persistence.Hide
	Tags         uint64
	Custom       []byte
	Draft        *persistence.Draft
	ReadAt       time.Time
}
