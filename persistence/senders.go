package persistence

import "encoding/binary"

// Senders is who sent the last [TailSenders] messages: a ring, indexed by sequence number, of places in a table of names. Both grow with the conversation, and
// neither the time that Set takes nor the memory depends on how many take part in it.
type Senders struct {
	places []uint16 // 0: unknown
	names  []sender // of places from 1 on
	free   []uint16 // places whose name nobody refers to
	known  map[string]uint16
	bytes  int // of all names
}

type sender struct {
	name     string
	messages uint16 // that refer to it
}

// fewSenders is how many names are looked through one by one.
const fewSenders = 8

// Of returns the sender of a message within the last TailSenders, or "" where that is not known.
func (s *Senders) Of(seq uint64) string {
	i := int(seq % TailSenders)
	if i >= len(s.places) || s.places[i] == 0 {
		return ""
	}
	return s.names[s.places[i]-1].name
}

// Set records who sent the message; "" makes it unknown.
func (s *Senders) Set(seq uint64, user string) {
	i := int(seq % TailSenders)
	if i >= len(s.places) {
		if user == "" {
			return
		}
		s.places = append(s.places, make([]uint16, i+1-len(s.places))...)
	}
	old := s.places[i]
	s.places[i] = s.refer(user)
	s.release(old)
}

// refer returns the place of a name, which one more message refers to.
func (s *Senders) refer(user string) uint16 {
	if user == "" {
		return 0
	}
	place := s.find(user)
	if place == 0 {
		place = s.add(user)
	}
	s.names[place-1].messages++
	return place
}

// find returns the place of a name, 0 if it has none.
func (s *Senders) find(user string) uint16 {
	if len(s.names) > fewSenders {
		return s.known[user]
	}
	for i := range s.names {
		if s.names[i].name == user {
			return uint16(i + 1)
		}
	}
	return 0
}

func (s *Senders) add(user string) (place uint16) {
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
		s.names[place-1].name = user
	} else {
		s.names = append(s.names, sender{name: user})
		place = uint16(len(s.names))
	}
	s.bytes += len(user)
	switch {
	case s.known != nil:
		s.known[user] = place
	case len(s.names) > fewSenders:
		s.known = make(map[string]uint16, 2*fewSenders)
		for i := range s.names {
			s.known[s.names[i].name] = uint16(i + 1)
		}
	}
	return place
}

// release says that one message less refers to a place.
func (s *Senders) release(place uint16) {
	if place == 0 {
		return
	}
	named := &s.names[place-1]
	if named.messages--; named.messages > 0 {
		return
	}
	delete(s.known, named.name)
	s.bytes -= len(named.name)
	named.name = ""
	s.free = append(s.free, place)
}

// size is about how many bytes append adds.
func (s *Senders) size() int { return s.bytes + len(s.names) + 2*len(s.places) }

// append writes the names, as they first occur in the ring, and the ring.
func (s *Senders) append(b []byte) []byte {
	var moved, order [TailSenders + 2]uint16
	n := uint16(0)
	for _, place := range s.places {
		if place != 0 && moved[place] == 0 {
			n++
			moved[place], order[n] = n, place
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, place := range order[1 : n+1] {
		b = appendString(b, s.names[place-1].name)
	}
	b = binary.AppendUvarint(b, uint64(len(s.places)))
	for _, place := range s.places {
		b = binary.AppendUvarint(b, uint64(moved[place]))
	}
	return b
}

func (d *decoder) senders(s *Senders) {
	count := d.count()
	if count > TailSenders {
		d.fail()
		return
	}
	names := make([]string, 0, TailSenders)
	for range count {
		names = append(names, d.string())
	}
	count = d.count()
	if count > TailSenders {
		d.fail()
		return
	}
	if count > 0 {
		s.places = make([]uint16, count)
	}
	for i := range s.places {
		switch place := d.uint(); {
		case place > uint64(len(names)):
			d.fail()
			return
		case place > 0:
			s.places[i] = s.refer(names[place-1])
		}
	}
}
