package actors

import (
	"fmt"

	"github.com/parley-im/parley/actors/conversation"
)

// Ack is how far a proposal must have got before it is answered.
type Ack uint8

// The ack levels. The numbers are those of the wire.
const (
	// AckDefault asks for AckCommitted.
	AckDefault Ack = iota
	// AckApplied answers once readers see the change. A crash may take it back.
	AckApplied
	// AckCommitted answers once the change is in the store: fsynced, unless the store runs with sync off; then it survives the process only.
	AckCommitted
)

// String returns the level's name in logs.
func (a Ack) String() string {
	switch a {
	case AckDefault:
		return "default"
	case AckApplied:
		return "applied"
	case AckCommitted:
		return "committed"
	}
	return fmt.Sprintf("ack(%d)", uint8(a))
}

// Proposal asks for one change of one conversation. Host actors send a *Proposal to [Engine.PID]: with Request they get a *[Reply]; with Send
// they do not, and failures are only counted. It must not be changed once it was sent.
type Proposal struct {
	Conversation string              // "namespace:name"
	Change       conversation.Change // what to do
	Ack          Ack                 // when to answer
	IfGeneration uint64              // apply only to this generation; 0: any. Delete needs it.
	Revision     uint64              // orders this user's joins, leaves, unread marks and settings; one not newer than the last applied changes nothing. 0: order of arrival.
	Tag          uint64              // returned in the reply
	Origin       string              // returned in events, so that a device can skip its own; at most 64 bytes
}

// Reply answers a Proposal.
type Reply struct {
	Conversation string
	Generation   uint64
	Version      uint64 // of the head; a member's own marks do not move it
	LastSeq      uint64
	Ack          Ack                          // the level reached
	Changed      bool                         // false: it was a repetition
	Membership   *conversation.MembershipView // where the change names one user
	Tag          uint64
	// Err, where it is not nil, is a *[conversation.Error]. Ack then tells whether the change was applied all the same: AckDefault means that it was not;
	// AckApplied, that readers see it but the store did not take it (yet).
	Err error
}
