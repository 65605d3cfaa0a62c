package conversation

import (
	"github.com/parley-im/parley/persistence"
)

func (a *applier) delete() error {
	if a.in.IfGeneration == 0 {
		return a.refuse(ErrInvalid, "if_generation", "must name the generation to delete")
	}
	if a.head.Held {
		return a.refuse(ErrHeld, "", "a held conversation cannot be deleted")
	}
	a.head.Deadline, a.head.Reason = a.now, persistence.ReasonDeleted
	a.headChanged, a.deleted = true, true
	return nil
}

// Verdict is what a judgement comes to.
type Verdict uint8

// The verdicts.
const (
	// Over: the generation has ended. The outcome's Ended says how.
	Over Verdict = iota
	// Later: it is alive; its due entry was moved to its deadline, or removed where it has none any more.
	Later
	// Moved: the entry is not the one that the generation has now, or a later generation has begun; writes that say so are on their way to the store.
	Moved
	// Orphaned: there is no such generation. The entry alone is left.
	Orphaned
	// Unsure: it is over if no member has anything unread. Whoever judges must find out what [State.Ask] asks, and come back with the answer.
	Unsure
)

// String returns the verdict's name in logs.
func (v Verdict) String() string {
	return [...]string{"over", "later", "moved", "orphaned", "unsure"}[v]
}

// Judge decides about a generation whose due entry for `due` has come due. Nothing but this decides that a conversation expired.
func (s *State) Judge(generation persistence.Generation, due, now persistence.Instant) (Verdict, Outcome) {
	var out Outcome
	switch {
	case !s.present || s.head.Generation < generation:
		return Orphaned, out
	case s.head.Generation > generation || s.head.Due != due:
		return Moved, out
	case !s.alive(max(now, s.now)):
		s.now = max(now, s.now) // what was judged over stays over, whatever the stamp of the next change
		out.Ended = s.ending(&s.head)
		return Over, out
	case s.Asks(generation, due, now):
		return Unsure, out
	}
	return s.later(now)
}

// later has the due entry of a generation that is alive stand where it must.
func (s *State) later(now persistence.Instant) (Verdict, Outcome) {
	var out Outcome
	s.rearm(&out, now)
	// The head's version stays: nobody is shown where its due entry stands.
	s.soilHead(&out)
	return Later, out
}
