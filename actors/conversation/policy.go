package conversation

import (
	"errors"
	"fmt"
	"time"
)

// Policy is what a namespace asks of its conversations.
type Policy struct {
	// ExpireAfter is how long after its last post that was not silent (after its beginning, where there is none) a generation expires. 0: never.
	ExpireAfter time.Duration
	// MaxSeqJump is how far a post's number may be above the last one's, and how far reads may run ahead. 0: 1,000,000.
	MaxSeqJump uint64
	// ReceiptsUpTo is how many members a conversation may have and still keep their delivery receipts; beyond, Deliver changes nothing. 0: any number.
	ReceiptsUpTo uint64
}

// DefaultMaxSeqJump is the MaxSeqJump of a policy that names none.
const DefaultMaxSeqJump = 1_000_000

// minExpireAfter keeps deadlines, which have microseconds, from falling on the moment of the post itself.
const minExpireAfter = time.Millisecond

// Validate reports everything that is wrong with p, joined.
func (p Policy) Validate() error {
	var faults []error
	if p.ExpireAfter < 0 || (p.ExpireAfter > 0 && p.ExpireAfter < minExpireAfter) {
		faults = append(faults, fmt.Errorf("ExpireAfter: must be 0 (never) or at least %v, is %v", minExpireAfter, p.ExpireAfter))
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
