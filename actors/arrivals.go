package actors

import "iter"

// arrivals counts proposals among a worker's tasks: all together; once those of one conversation may be too many, those of the conversations that share a slot; and where those may be, each
// conversation's by itself.
type arrivals struct {
	all     int
	slotted bool               // slots are counted: since there might have been too many, and until there are none
	crowded map[uint16]sharers // by slot: where each conversation is counted by itself; empty where slots are not counted
	slots   [1 << 12]uint32    // all 0 where they are not counted
}

// slotOf returns the slot of a conversation whose name has that hash.
func slotOf(hash uint64) uint16 { return uint16(hash % uint64(len(arrivals{}.slots))) }

// count counts a proposal in, or out with -1.
func (a *arrivals) count(m *intake, n int) {
	a.all += n
	if !a.slotted {
		return
	}
	a.slots[m.slot] += uint32(n)
	if a.all == 0 {
		a.slotted = false
		clear(a.crowded)
	} else if of := a.crowded[m.slot]; of != nil {
		of.count(m.proposal.Conversation, n)
	}
}

// atLeast reports whether there are at least so many of a proposal's conversation. tasks is where they all are: it is looked through when there may be as many for the first time since there were none, and
// once more for each slot that is crowded.
func (a *arrivals) atLeast(bound int, m *intake, tasks *fifo[task]) bool {
	if bound <= 0 {
		return true
	}
	if !a.slotted {
		if a.all < bound {
			return false
		}
		a.slotted = true
		for other := range intakes(tasks) {
			a.slots[other.slot]++
		}
	}
	if int(a.slots[m.slot]) < bound {
		return false
	}
	of := a.crowded[m.slot]
	if of == nil {
		of = sharers{}
		for other := range intakes(tasks) {
			if other.slot == m.slot {
				of.count(other.proposal.Conversation, 1)
			}
		}
		if a.crowded == nil {
			a.crowded = map[uint16]sharers{}
		}
		a.crowded[m.slot] = of
	}
	return of[m.proposal.Conversation] >= bound
}

// intakes yields the proposals among tasks.
func intakes(tasks *fifo[task]) iter.Seq[*intake] {
	return func(yield func(*intake) bool) {
		for _, t := range tasks.peek(tasks.len()) {
			if m, ok := t.(*intake); ok && !yield(m) {
				return
			}
		}
	}
}

// sharers is how many proposals there are of each of the conversations that share a slot.
type sharers map[string]int

func (s sharers) count(conversation string, n int) {
	if s[conversation] += n; s[conversation] == 0 {
		delete(s, conversation)
	}
}
