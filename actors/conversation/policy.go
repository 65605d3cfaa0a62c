package conversation

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Policy is what a namespace asks of its conversations.
type Policy struct {
	// A generation expires at the earliest of the three times that follow, where they are not 0; where all are, it never does. Another policy than before applies to a
	// conversation from its next change on, or once it was applied to all by [State.Reconsider].

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
	// KeepUnread keeps a conversation from expiring for as long as a member who has not left has messages unread: such as View.Membership.Unread counts, which leaves out their
	// own, silent and retracted ones, and not the unread mark alone. Once its retention has run out, such a conversation is over in the moment in which it is found that nobody
	// has: milliseconds after the last of them has read, or left, and View.ExpiresAt is zero until then.
	KeepUnread bool
	// KeepUnreadUpTo is how many members a conversation may have and still be kept by KeepUnread: finding out takes reading up to all of their memberships, and of many there is
	// always one who does not read. 0: DefaultKeepUnreadUpTo.
	KeepUnreadUpTo uint64
	// TombstoneFor is how long after a generation was deleted a late repeat of its posts is still known for one. It is settled at the deletion. 0: as long as events are kept.
	TombstoneFor time.Duration
	// RequireMembers has posts that would begin a generation refused with ErrMembersRequired unless they name Members: a host that always does can then tell a late
	// message of an expired conversation from a new one.
	RequireMembers bool
	// MaxMembers is how many members a conversation may have: joins, and posts, that would make them more are refused with ErrInvalid, by their field. Those who are members already stay.
	// 0: any number.
	MaxMembers uint64
	// MaxPreview is how many bytes a preview may have: longer ones are refused with ErrInvalid. 0: conversation.MaxPreview, which is also the most.
	MaxPreview uint64
	// MaxSeqJump is how far a post's number may be above the last one's, and how far reads may run ahead. 0: 1,000,000.
	MaxSeqJump uint64
	// ReceiptsUpTo is how many members a conversation may have and still keep their delivery receipts; beyond, Deliver changes nothing. 0: any number.
	ReceiptsUpTo uint64
}

// What stands for zero in a policy.
const (
	DefaultMaxSeqJump     = 1_000_000
	DefaultKeepUnreadUpTo = 1_000
)

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
	if v := p.TombstoneFor; v < 0 || (v > 0 && v < minRetention) {
		faults = append(faults, fmt.Errorf("TombstoneFor: must be 0 (as long as events) or at least %v, is %v", minRetention, v))
	}
	if p.MaxPreview > MaxPreview {
		faults = append(faults, fmt.Errorf("MaxPreview: must be at most %d, is %d", MaxPreview, p.MaxPreview))
	}
	if p.MaxSeqJump > maxSeq {
		faults = append(faults, fmt.Errorf("MaxSeqJump: must be at most 2^62, is %d", p.MaxSeqJump))
	}
	return errors.Join(faults...)
}

// Effective returns p with the zeros replaced that stand for a number.
func (p Policy) Effective() Policy {
	p.MaxSeqJump, p.KeepUnreadUpTo, p.MaxPreview = p.maxSeqJump(), cmp.Or(p.KeepUnreadUpTo, DefaultKeepUnreadUpTo), cmp.Or(p.MaxPreview, MaxPreview)
	return p
}

func (p Policy) maxSeqJump() uint64 { return cmp.Or(p.MaxSeqJump, DefaultMaxSeqJump) }

// keepsUnread reports whether a conversation of so many members is kept while one of them has something unread.
func (p Policy) keepsUnread(members uint64) bool {
	return p.KeepUnread && members <= cmp.Or(p.KeepUnreadUpTo, DefaultKeepUnreadUpTo)
}
