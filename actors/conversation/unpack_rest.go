package conversation

import (
	"encoding/binary"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// table reads the names, of which the first are the roster's.
func (u *unpacking) table() {
	members := int(u.counts[0])
	n := members + int(u.counts[1])
	size, lengths := uint64(0), u.rest
	for range n {
		size += u.uint()
	}
	all := string(u.bytes(size))
	rest := u.rest
	u.rest = lengths
	u.names = slices.Grow(u.names[:0], n)[:n]
	for i := range n {
		size := u.uint()
		u.names[i], all = all[:size], all[size:]
	}
	u.rest = rest
	u.state.roster.Users = u.names[:members:members]
}

// tail reads what is known of single messages.
func (u *unpacking) tail() {
	t := &u.state.tail
	n := int(u.counts[2])
	u.senders = slices.Grow(u.senders[:0], n)[:n]
	for i := range n {
		u.senders[i] = u.name(u.uint())
	}
	u.places = append(u.places[:0], u.bytes(u.counts[3])...)
	parts := persistence.SendersParts{Ring: u.places, Names: u.senders}
	if width := u.flags >> packedWidth & packedWidths; width != 0 {
		parts.Width = 1 << (width - 1)
	}
	t.Senders = persistence.SendersOf(parts)
	if u.flags&packedUncounted != 0 {
		t.Uncounted = u.readMarks(0)
	}
	if u.flags&packedEveryone != 0 {
		t.Everyone = u.readMarks(1)
	}
}

// readMarks reads marks into the desk's own.
func (u *unpacking) readMarks(which int) persistence.Marks {
	if u.marks[which] == nil {
		u.marks[which] = &persistence.MarkWords{}
	}
	words := u.marks[which]
	present := binary.LittleEndian.Uint16(u.bytes(2))
	for i := range words {
		words[i] = 0
		if present&(1<<i) != 0 {
			words[i] = binary.LittleEndian.Uint64(u.bytes(8))
		}
	}
	return persistence.MarksIn(words)
}

// rewinds reads those of the head.
func (u *unpacking) rewinds(n int) []persistence.Rewind {
	if n == 0 {
		return nil
	}
	all := make([]persistence.Rewind, n)
	for i := range all {
		all[i] = persistence.Rewind{Number: u.uint(), To: u.uint()}
	}
	return all
}

// memberRest reads what has no fixed size of a membership. It is that membership's own: views may show it for longer.
func (u *unpacking) memberRest(m *persistence.Membership, of *packedUser) {
	if of.mentions > 0 {
		m.Mentions = make([]uint64, of.mentions)
		for i := range m.Mentions {
			m.Mentions[i] = u.uint()
		}
	}
	if of.custom > 0 {
		m.Custom = slices.Clone(u.bytes(of.custom))
	}
	if of.draft > 0 {
		m.Draft.Text = slices.Clone(u.bytes(of.draft))
	}
}
