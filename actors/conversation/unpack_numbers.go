package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// head reads what has a fixed size of the head and the tail, and returns what most heads have not.
func (u *unpacking) head() (rare group) {
	var numbers, times group
	u.rest = times.read(numbers.read(u.counts.read(u.rest)))
	if u.flags&packedRare != 0 {
		u.rest = rare.read(u.rest)
	}
	h := &u.state.head
	*h = persistence.Head{
		Generation: persistence.Generation(numbers[0]),
		Version:    numbers[1],
		Floor:      rare[0],
		LastSeq:    numbers[2],
		LoudSeq:    near(numbers[2], numbers[3]),
		Activity:   persistence.Instant(times[0]),
		Deadline:   persistence.Never,
		Reason:     persistence.Reason(u.counts[7]) ^ persistence.ReasonExpired,
		Members:    numbers[4],
		Pins:       rare[1],
		Held:       u.flags&packedHeld != 0,
		Large:      u.flags&packedLarge != 0,
		Alone:      u.flags&packedAlone != 0,
	}
	h.Born, h.SentAt = near(h.Activity, times[1]), near(h.Activity, times[2])
	h.Ordered = near(h.SentAt, times[3])
	due := h.Activity
	if u.flags&packedForever == 0 {
		h.Deadline = near(h.Activity, times[4])
		due = h.Deadline
	}
	h.Due, h.Changed, h.Listed = after(due, times[5]), after(h.Activity, times[6]), minutesAfter(h.Ordered, times[7])
	h.Kept, h.Touched, h.Noticed = after(h.Activity, rare[2]), after(h.Activity, rare[3]), after(h.Activity, rare[4])
	u.state.tail = persistence.Tail{Generation: h.Generation, Version: near(h.Version, numbers[5]), Last: near(h.LastSeq, numbers[6])}
	u.state.roster = persistence.Roster{Generation: h.Generation, Version: numbers[7]}
	return rare
}

// memberships reads what has a fixed size of them.
func (u *unpacking) memberships() {
	n, s := int(u.counts[5]), u.state
	u.members, u.list = slices.Grow(u.members[:0], n)[:n], slices.Grow(u.list[:0], n)[:n]
	for i := range n {
		u.membership(&u.members[i], &u.users[i])
		u.list[i] = member{Membership: &u.members[i]}
	}
	s.members = members{list: u.list}
}

func (u *unpacking) membership(m *persistence.Membership, user *packedUser) {
	var numbers group
	var settings [2]group
	flags := u.rest[0]
	u.rest = numbers.read(u.rest[1:])
	if flags&packedSettings != 0 {
		u.rest = settings[1].read(settings[0].read(u.rest))
	}
	h, now, then := &u.state.head, &settings[0], &settings[1]
	*m = persistence.Membership{
		Generation:   h.Generation,
		Version:      numbers[1],
		Revision:     now[0],
		VisibleFrom:  numbers[2],
		VisibleTo:    now[1],
		ReadSeq:      near(h.LastSeq, numbers[3]),
		ReadAt:       after(h.Activity, numbers[4]),
		DeliveredSeq: numbers[5],
		ClearedSeq:   now[2],
		Left:         flags&packedLeft != 0,
		Keep:         flags&packedKeep != 0,
		MarkedUnread: flags&packedMarked != 0,
		Hide:         persistence.Hide(then[4]),
		HiddenAt:     now[3],
		Pin:          now[4],
		MutedUntil:   persistence.Instant(now[5]),
		Tags:         now[6],
		Changed:      after(h.Changed, numbers[6]),
		Frozen:       after(h.Activity, now[7]),
		Rewinds:      then[0],
		Outlived:     persistence.Instant(then[1]),
	}
	m.Noticed = minutesAfter(m.Changed, numbers[7])
	if flags&packedDraft != 0 {
		m.Draft = &persistence.Draft{EditedAt: persistence.Instant(then[6])}
	}
	*user = packedUser{place: numbers[0], mentions: then[2], custom: then[3], draft: then[5]}
}
