package conversation

import (
	"errors"
	"fmt"
	"time"
)

// Policy is what a namespace asks of its conversations.
type Policy struct {
	// A generation expires at the earliest of the three times that follow, where they are not 0; where all are, it never does. Another policy than before applies to a
	// conversation from its next change on.

	// ExpireAfter is how long after its last post that was not silent (after its beginning, where there is none) a generation expires.
	ExpireAfter time.Duration
	// ExpireIdle is how long after its last change of any kind, a member's own marks among them, a generation expires. Each such change then writes the conversation's
	// head as well.
	ExpireIdle time.Duration
	// ExpireAge is how long after its beginning a generation expires, whatever happens in it.
	ExpireAge time.Duration
	// ExpireJitter makes each generation expire later by a time of its own, up to this, so that those which fell silent together do not end together.
	ExpireJitter time.Duration
	// KeepPinned keeps a conversation that a member has pinned from expiring. Retention goes on counting meanwhile, as under Hold.
	KeepPinned bool
	// RequireMembers has posts that would begin a generation refused with ErrMembersRequired unless they name Members: a host that always does can then tell a late
	// message of an expired conversation from a new one.
	RequireMembers bool
	// MaxSeqJump is how far a post's number may be above the last one's, and how far reads may run ahead. 0: 1,000,000.
	MaxSeqJump uint64
	// ReceiptsUpTo is how many members a conversation may have and still keep their delivery receipts; beyond, Deliver changes nothing. 0: any number.
	ReceiptsUpTo uint64
}

// DefaultMaxSeqJump is the MaxSeqJump of a policy that names none.
const DefaultMaxSeqJump = 1_000_000

// minRetention keeps deadlines, which have microseconds, from falling on the moment of the change itself.
const minRetention = time.Millisecond

// Validate reports everything that is wrong with p, joined.
func (p Policy) Validate() error {
	var faults []error
	for _, retention := range [...]struct {
		name  string
		value time.Duration
	}{{"ExpireAfter", p.ExpireAfter}, {"ExpireIdle", p.ExpireIdle}, {"ExpireAge", p.ExpireAge}} {
		if v := retention.value; v < 0 || (v > 0 && v < minRetention) {
			faults = append(faults, fmt.Errorf("%s: must be 0 (never) or at least %v, is %v", retention.name, minRetention, v))
		}
	}
	if p.ExpireJitter < 0 {
		faults = append(faults, fmt.Errorf("ExpireJitter: must not be negative, is %v", p.ExpireJitter))
	}
	if p.MaxSeqJump > maxSeq {
		faults = append(faults, fmt.Errorf("MaxSeqJump: must be at most 2^62, is %d", p.MaxSeqJump))
	}
	return errors.Join(faults...)
}

func (p Policy) maxSeqJump() uint64 {
	if p.MaxSeqJump == 0 {
		return DefaultMaxSeqJump
	}
	return p.MaxSeqJump
}
