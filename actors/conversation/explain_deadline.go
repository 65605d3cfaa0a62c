package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// Retention is one of the rules by which a generation may expire. The numbers are those of the wire.
type Retention uint8

// The rules.
const (
	RetentionNone  Retention = iota
	RetentionAfter           // ExpireAfter, from the last post that was not silent
	RetentionIdle            // ExpireIdle, from the last change of any kind
	RetentionAge             // ExpireAge, from the beginning
)

// DeadlineStep is what one rule asks for.
type DeadlineStep struct {
	Rule  Retention
	From  persistence.Instant // what the time counts from
	After time.Duration
	At    persistence.Instant // the sum
	// AtLeast, of RetentionIdle: the last change was at From or later. Which moment it was is not known where the policy did not ask for such a retention at that change.
	AtLeast bool
}

// DeadlineOrigin says how the deadline that a head has came about. The numbers are those of the wire.
type DeadlineOrigin uint8

// The origins.
const (
	OriginNone    DeadlineOrigin = iota
	OriginPolicy                 // it is what the policy asks for
	OriginDeleted                // a Delete was proposed, at that moment
	OriginCut                    // the policy asks for a time that was over at the last change: it became the time of that change
	// OriginEarlier: another policy asked for it, and the one of now applies from the next change on; or it was cut by a change that members are not shown.
	OriginEarlier
)

// DeadlineSum is how a generation's deadline comes about.
type DeadlineSum struct {
	Deadline persistence.Instant // what the head has; Never: it does not expire
	Origin   DeadlineOrigin
	// Held and Pinned say why it does not expire though there are Steps: it is held, or the policy keeps what is pinned. Retention goes on counting meanwhile.
	Held, Pinned bool
	// Unread: likewise, but it is not over while a member has messages unread. Witness is one who has; "": nobody is known to, and it is found out when the retention has run out.
	Unread  bool
	Witness string
	Steps   []DeadlineStep      // one for each rule that the policy sets; none: it asks for no end
	First   Retention           // the rule whose step comes first, as far as that is known
	Jitter  time.Duration       // the generation's own, which is added to that
	Asked   persistence.Instant // what the policy asks for: the first step and the jitter, whether or not the conversation is kept; Never: no end
}

// DeadlineSum says how the deadline of a head comes about, under the policy that its namespace has now.
func (p Policy) DeadlineSum(name string, h *persistence.Head) DeadlineSum {
	d := DeadlineSum{Deadline: h.Deadline, Held: h.Held, Pinned: p.KeepPinned && h.Pins > 0, Asked: persistence.Never}
	d.Unread, d.Witness = h.Kept != 0, h.Witness
	if p.ExpireJitter > 0 {
		d.Jitter = p.jitter(name, h.Generation)
	}
	idle, known := lastChange(h)
	for _, step := range [...]DeadlineStep{
		{Rule: RetentionAfter, From: h.Activity, After: p.ExpireAfter},
		{Rule: RetentionIdle, From: idle, After: p.ExpireIdle, AtLeast: !known},
		{Rule: RetentionAge, From: h.Born, After: p.ExpireAge},
	} {
		if step.After == 0 {
			continue
		}
		step.At = step.From.Add(step.After)
		d.Steps = append(d.Steps, step)
	}
	d.first(h)
	if len(d.Steps) == 0 {
		d.Jitter = 0 // there is nothing to add it to
	}
	d.Asked = d.Asked.Add(d.Jitter)
	d.Origin = p.origin(&d, h)
	return d
}

// first finds the step that comes first. One that is only known to be no earlier than some time is left out where the others explain the deadline.
func (d *DeadlineSum) first(h *persistence.Head) {
	exact, all := DeadlineStep{At: persistence.Never}, DeadlineStep{At: persistence.Never}
	for _, step := range d.Steps {
		if step.At < all.At {
			all = step
		}
		if !step.AtLeast && step.At < exact.At {
			exact = step
		}
	}
	if exact.Rule != RetentionNone && exact.At.Add(d.Jitter) == h.Deadline {
		all = exact
	}
	d.First, d.Asked = all.Rule, all.At
}

// lastChange returns when the last change of any kind was made, and whether that is known, or only that it was no earlier: a head says so once something changed while the
// retention went by it.
func lastChange(h *persistence.Head) (at persistence.Instant, known bool) {
	if h.Touched != 0 {
		return h.Touched, true
	}
	return max(h.Activity, h.Changed), false
}

func (p Policy) origin(d *DeadlineSum, h *persistence.Head) DeadlineOrigin {
	kept := d.Held || d.Pinned || d.Unread
	switch {
	case h.Reason == persistence.ReasonDeleted:
		return OriginDeleted
	case kept && h.Deadline == persistence.Never, !kept && h.Deadline == d.Asked:
		return OriginPolicy
	case !kept && d.Asked < h.Deadline && h.Deadline != persistence.Never && h.Deadline <= max(h.Changed, h.Activity):
		return OriginCut
	}
	return OriginEarlier
}
