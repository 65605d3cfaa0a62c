package actors

import (
	"slices"
)

// readTogether is how many changes are read with one look at the ring, so that whoever publishes does not wait for the whole of it.
const readTogether = 1_024

// recent returns what is kept of a conversation's latest changes.
func (v *events) recent(name string) *ChangesExplanation {
	v.mu.Lock()
	found := &ChangesExplanation{Recording: v.recording.Load()}
	from, end := v.ring.first, v.ring.end
	if from < end {
		found.Since = v.ring.at(from).at.Time()
	}
	v.mu.Unlock()
	var part []committed
	for from < end {
		var begin uint64
		part, begin, _ = v.read(part[:0], from, readTogether)
		if len(part) == 0 {
			break
		}
		if begin > from {
			found.Since = part[0].at.Time() // what came before was dropped meanwhile
		}
		from = begin + uint64(len(part))
		for i := range part {
			if part[i].Conversation == name {
				found.add(&part[i])
			}
		}
	}
	slices.Reverse(found.Changes)
	return found
}

func (c *ChangesExplanation) add(change *committed) {
	if len(c.Changes) == MaxRecentChanges {
		c.Changes = slices.Delete(c.Changes, 0, 1)
	}
	c.Changes = append(c.Changes, RecentChange{
		At: change.at.Time(), Generation: change.Generation,
		Changed: Changed{
			Version: change.Version, LastSeq: change.LastSeq, Kinds: kindsIn(change.Kinds), Users: slices.Clone(change.Users), Origin: change.Origin,
		},
	})
}
