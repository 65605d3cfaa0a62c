package persistence

import "slices"

// MaxRewinds is how many rewinds a head keeps.
const MaxRewinds = 64

// Rewind says that a conversation's messages after one were no messages. Memberships are not rewritten for it, however many there are: each carries the number of
// the last rewind that is in its marks, and whoever reads an older one cuts the marks to what the rewinds since say.
type Rewind struct {
	Number uint64 // counts the rewinds of a generation, from 1
	To     uint64 // the last message that stays
}

// Rewind takes back the head's messages after one. It keeps no rewind that a later one makes void, so that what it keeps ascends in To as well: the first one after a
// membership's own number is the lowest. It reports false, and does nothing, where the head has MaxRewinds.
func (h *Head) Rewind(to uint64) bool {
	number := h.LastRewind() + 1
	kept := slices.IndexFunc(h.Rewinds, func(r Rewind) bool { return r.To >= to })
	if kept < 0 {
		kept = len(h.Rewinds)
	}
	if kept == MaxRewinds {
		return false
	}
	h.Rewinds = append(slices.Clone(h.Rewinds[:kept]), Rewind{Number: number, To: to})
	h.LastSeq, h.LoudSeq, h.Floor = min(h.LastSeq, to), min(h.LoudSeq, to), min(h.Floor, to)
	h.LastSender, h.Preview, h.SentAt = "", nil, 0
	return true
}

// LastRewind returns the number of the last rewind, 0 where there was none.
func (h *Head) LastRewind() uint64 {
	if len(h.Rewinds) == 0 {
		return 0
	}
	return h.Rewinds[len(h.Rewinds)-1].Number
}

// Follow cuts the marks of a membership to what rewinds of its head since it was written have left.
func (m *Membership) Follow(h *Head) {
	for _, r := range h.Rewinds {
		if r.Number > m.Rewinds {
			m.cut(r.To)
			break
		}
	}
	m.Rewinds = h.LastRewind()
}

func (m *Membership) cut(to uint64) {
	m.VisibleFrom = min(m.VisibleFrom, to+1)
	for _, mark := range [...]*uint64{&m.VisibleTo, &m.ReadSeq, &m.DeliveredSeq, &m.ClearedSeq, &m.HiddenAt} {
		*mark = min(*mark, to)
	}
	if i, _ := slices.BinarySearch(m.Mentions, to+1); i < len(m.Mentions) {
		m.Mentions = slices.Clone(m.Mentions[:i])
	}
}
