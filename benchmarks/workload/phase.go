package workload

import "time"

// Event is what happens when a phase begins.
type Event uint8

// The events.
const (
	// Nothing happens.
	Nothing Event = iota
	// Expires: the expiring conversations are over, from now on until ExpireOver has passed.
	Expires
	// Asks: all askers ask what changed.
	Asks
)

// Phase is a part of a run that is measured by itself.
type Phase struct {
	Name   string
	Begins time.Duration // since the end of the warm-up
	Event  Event
}

// Phases divides the time that is measured. There is at least one phase, and the first begins at once.
func (w *Workload) Phases(total time.Duration) []Phase {
	quiet, after := total/4, total-total/4
	switch w.config.Kind {
	case Expiry:
		return []Phase{{Name: "quiet"}, {Name: "expiry", Begins: quiet, Event: Expires}, {Name: "after", Begins: after}}
	case Storm:
		return []Phase{{Name: "quiet"}, {Name: "storm", Begins: quiet, Event: Asks}, {Name: "after", Begins: after}}
	case Zipf, Uniform, Hot, Groups, Trace:
	}
	return []Phase{{Name: "steady"}}
}
