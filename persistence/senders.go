package persistence

import (
	"encoding/binary"
	"slices"
)

// Senders is who sent the last [TailSenders] messages: a ring, indexed by sequence number, of places in a table of names. A place has as few bits as the table needs. Both grow with
// the conversation, and neither the time that Set takes, over time, nor the memory depends on how many take part in it.
type Senders struct {
	parts SendersParts
	known map[string]uint16 // places by name: of a table with more than fewSenders, once a name was looked up
}

// SendersParts is what [Senders] are made of.
type SendersParts struct {
	Ring  []byte   // the places, from the lowest bits of a byte on; 0: unknown. Places behind its end are unknown, too.
	Width uint8    // the bits of a place: 2, 4, 8 or 16; 0 where there are none
	Names []string // of places from 1 on, some perhaps such as nobody refers to any more
}

// SendersOf returns the senders that are made of the parts, which are theirs from then on.
func SendersOf(parts SendersParts) Senders { return Senders{parts: parts} }

// Parts returns what the senders are made of, which stays theirs.
func (s *Senders) Parts() SendersParts { return s.parts }

// fewSenders is how many names are looked through one by one.
const fewSenders = 8

// widestTable is how many names a table may have at most: so many more than may be referred to that it is swept once in as many messages.
const widestTable = 2*TailSenders - 1

// widthFor returns the bits of places in a table of n names.
func widthFor(n int) uint8 {
	for _, width := range [...]uint8{2, 4, 8} {
		if n <= roomFor(width) {
			return width
		}
	}
	return 16
}

// roomFor returns how many names a table may have where places have so many bits.
func roomFor(width uint8) int { return min(1<<width-1, widestTable) }

// Of returns the sender of a message within the last TailSenders, or "" where that is not known.
func (s *Senders) Of(seq uint64) string {
	if place := s.parts.at(int(seq % TailSenders)); place != 0 {
		return s.parts.Names[place-1]
	}
	return ""
}

// Set records who sent the message; "" makes it unknown.
func (s *Senders) Set(seq uint64, user string) {
	i := int(seq % TailSenders)
	if s.parts.at(i) != 0 {
		s.parts.put(i, 0) // so that a name which nobody else refers to makes room
	}
	if user != "" {
		s.parts.put(i, s.place(user))
	}
}

// place returns the place of a name in the table, which it is put into where it is not there.
func (s *Senders) place(user string) uint16 {
	if place := s.find(user); place != 0 {
		return place
	}
	if len(s.parts.Names) >= roomFor(s.parts.Width) {
		s.sweep()
	}
	s.parts.Names = append(s.parts.Names, user)
	place := uint16(len(s.parts.Names))
	if s.known != nil {
		s.known[user] = place
	}
	return place
}

// find returns the place of a name, 0 if it has none.
func (s *Senders) find(user string) uint16 {
	names := s.parts.Names
	if len(names) <= fewSenders {
		return uint16(slices.Index(names, user) + 1)
	}
	if s.known == nil {
		s.known = make(map[string]uint16, 2*len(names))
		for i, name := range names {
			s.known[name] = uint16(i + 1)
		}
	}
	return s.known[user]
}

// sweep takes the names out of the table that nobody refers to, and widens the places where it stays nearly full.
func (s *Senders) sweep() {
	old := s.parts
	var order sendersOrder
	order.find(&old)
	names := make([]string, order.n, order.n+1)
	for i := range names {
		names[i] = old.Names[order.places[i]-1]
	}
	width := max(old.Width, widthFor(order.n+order.n/4+1))
	s.known = nil
	s.parts = SendersParts{Ring: make([]byte, 0, bytesFor(old.len(), width)), Width: width, Names: names}
	for i := range old.len() {
		if place := old.at(i); place != 0 {
			s.parts.put(i, order.numbers[place])
		}
	}
}

// size is about how many bytes append adds.
func (s *Senders) size() int {
	n := 4 + 2*len(s.parts.Names) + 2*s.parts.len()
	for _, name := range s.parts.Names {
		n += len(name)
	}
	return n
}

// append writes the names, as they first occur in the ring, and the ring.
func (s *Senders) append(b []byte) []byte {
	n := s.parts.len()
	if n == 0 {
		return append(b, 0, 0)
	}
	var order sendersOrder
	order.find(&s.parts)
	b = binary.AppendUvarint(b, uint64(order.n))
	for _, place := range order.places[:order.n] {
		b = appendString(b, s.parts.Names[place-1])
	}
	return s.parts.appendRing(binary.AppendUvarint(b, uint64(n)), n, &order)
}

func (d *decoder) senders(s *Senders) {
	names := d.strings(TailSenders)
	n := d.count()
	if n > TailSenders {
		d.fail()
		return
	}
	if n == 0 || d.err != nil {
		return
	}
	s.parts.Names, s.parts.Width = names, widthFor(len(names))
	s.parts.Ring = make([]byte, 0, bytesFor(n, s.parts.Width))
	for i := range n {
		switch place := d.uint(); {
		case place > uint64(len(names)):
			d.fail()
			return
		case place > 0 && names[place-1] != "":
			s.parts.put(i, uint16(place))
		}
	}
}
