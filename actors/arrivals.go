package actors

// arrivals counts proposals among a worker's tasks: those of the conversations that share a slot together and, only once those of one may be too many, each conversation's by itself.
type arrivals struct {
	slots   [1 << 12]uint32
	all     int
	crowded map[uint16]sharers // by slot: where each conversation is counted by itself; empty whenever there are no proposals
}

// slotOf returns the slot of a conversation whose name has that hash.
func slotOf(hash uint64) uint16 { return uint16(hash % uint64(len(arrivals{}.slots))) }

// count counts a proposal in, or out with -1.
func (a *arrivals) count(m *intake, n int) {
	a.slots[m.slot] += uint32(n)
	a.all += n
	if len(a.crowded) == 0 {
		return
	}
	if a.all == 0 {
		clear(a.crowded)
	} else if of := a.crowded[m.slot]; of != nil {
		of.count(m.proposal.Conversation, n)
	}
}

// atLeast reports whether there are at least so many of a proposal's conversation. tasks is where they all are: it is looked through when a slot is crowded for the first time since there were none.
func (a *arrivals) atLeast(bound int, m *intake, tasks *fifo[task]) bool {
	if int(a.slots[m.slot]) < bound {
		return false
	}
	of := a.crowded[m.slot]
	if of == nil {
		of = sharers{}
		for _, t := range tasks.peek(tasks.len()) {
			if other, ok := t.(*intake); ok && other.slot == m.slot {
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

// sharers is how many proposals there are of each of the conversations that share a slot.
type sharers map[string]int

func (s sharers) count(conversation string, n int) {
	if s[conversation] += n; s[conversation] == 0 {
		delete(s, conversation)
	}
}
