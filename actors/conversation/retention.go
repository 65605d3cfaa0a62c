package conversation

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// retention is when a generation's time is up, if nothing happens in it after it was last touched; Never where it does not expire.
func (p Policy) retention(name string, h *persistence.Head, touched persistence.Instant) persistence.Instant {
	if h.Held || (p.KeepPinned && h.Pins > 0) {
		return persistence.Never
	}
	deadline := persistence.Never
	for _, retention := range [...]struct {
		from persistence.Instant
		is   time.Duration
	}{{h.Activity, p.ExpireAfter}, {touched, p.ExpireIdle}, {h.Born, p.ExpireAge}} {
		if retention.is > 0 {
			deadline = min(deadline, retention.from.Add(retention.is))
		}
	}
	if p.ExpireJitter > 0 && deadline != persistence.Never {
		deadline = deadline.Add(p.jitter(name, h.Generation))
	}
	return deadline
}

// jitter is a generation's own: drawn anew with each change, it would let deadlines creep.
func (p Policy) jitter(name string, generation persistence.Generation) time.Duration {
	return time.Duration((persistence.Hash(name) + uint64(generation)) % uint64(p.ExpireJitter))
}

// retain sets what the policy asks for of a generation that was touched last at that time, but no deadline that is over before now.
func (a *applier) retain(touched persistence.Instant) {
	if a.deleted {
		return // it has one
	}
	h, policy := &a.head, &a.in.Policy
	before := [...]persistence.Instant{h.Deadline, h.Kept, h.Touched}
	h.Touched = 0
	if policy.ExpireIdle > 0 {
		h.Touched = touched
	}
	h.Deadline, h.Kept = policy.retention(a.name, h, touched), 0
	switch {
	case h.Deadline == persistence.Never:
	case policy.keepsUnread(h.Members):
		h.Deadline, h.Kept = persistence.Never, h.Deadline
	default:
		h.Deadline = max(a.now, h.Deadline)
	}
	if a.forgets {
		h.Deadline = min(h.Deadline, before[0])
		if h.Kept != 0 && before[1] != 0 {
			h.Kept = min(h.Kept, before[1])
		}
	}
	if before != [...]persistence.Instant{h.Deadline, h.Kept, h.Touched} {
		a.headTouched = true
	}
	a.heed()
}

// heed forgets the witness who may have nothing unread any more. They are looked for anew, then, as soon as the retention has run out.
func (a *applier) heed() {
	h := &a.head
	if h.Witness == "" {
		return
	}
	touched := a.changed.find(h.Witness) != nil
	if h.Kept != 0 && !touched && !a.fewer {
		return
	}
	if h.Kept != 0 && a.hasUnread(h.Witness) {
		return
	}
	a.nextWitness, h.Witness, a.headTouched = h.Witness, "", true
}

// judgedAt is when a generation's due entry has it judged, at the latest: once its deadline has come or, where it is kept by what members have unread, once its retention has
// run out, unless a witness is known. Never: not at all.
func judgedAt(h *persistence.Head) persistence.Instant {
	switch {
	case h.Deadline != persistence.Never || h.Kept == 0:
		return h.Deadline
	case h.Witness != "":
		return persistence.Never
	}
	return h.Kept
}

// Reconsider has a policy apply that was not in force when the conversation last changed, as its next change would, but is none: nobody is shown anything else than a deadline, and a
// retention by idleness goes on counting. Where it is not known since when, because no such retention was in force, it counts from now. Of a conversation that is over it changes nothing,
// and done again neither.
func (s *State) Reconsider(policy Policy, at persistence.Instant) (out Outcome) {
	now := max(at, s.now)
	if !s.alive(now) {
		return out
	}
	a := &applier{State: s, in: Input{Policy: policy}, now: now}
	touched := s.head.Touched
	if touched == 0 {
		touched = now
	}
	a.retain(touched)
	if !a.headTouched {
		return out
	}
	s.now = now
	a.arm(&out)
	s.soilHead(&out)
	return out
}

// Applied reports whether a head is as a policy asks for: whether [State.Reconsider] would change nothing.
func Applied(policy Policy, name string, head *persistence.Head, now persistence.Instant) bool {
	if now >= head.Deadline {
		return true
	}
	s := &State{name: name, head: *head, present: true, now: now}
	out := s.Reconsider(policy, now)
	return out.Rows() == 0
}
