package conversation

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// maxPackedMembers is how many memberships are packed: a conversation in which more were in memory is packed without any, and reads those that it needs.
const maxPackedMembers = 8

// packedHeader is the part of a row's value that those of a conversation have in common: the format and the generation.
const packedHeader = 9

// packedComplete marks a conversation of which all memberships are packed.
const packedComplete = 1

// Pack appends to b what [Unpack] makes the same State of: the rows, without what they have in common, and those memberships that are known. It returns false, and b as it was, where there is
// nothing to pack: no generation is alive at that time. Of one that is over the reaper deletes rows without asking, so that what is packed of it might outlive them.
func (s *State) Pack(b []byte, now persistence.Instant) ([]byte, bool) {
	if !s.alive(max(now, s.now)) {
		return b, false
	}
	head := s.head.Encode()
	flags, known := byte(0), 0
	for _, m := range s.members.list {
		if m.Membership != nil {
			known++
		}
	}
	if known > maxPackedMembers {
		known = 0
	} else if s.complete {
		flags = packedComplete
	}
	packed := appendPacked(append(b, flags), head)
	for _, row := range [...][]byte{s.tail.Encode(), s.roster.Encode()} {
		packed = appendPacked(packed, row[packedHeader:])
	}
	packed = binary.AppendUvarint(packed, uint64(known))
	if known == 0 {
		return packed, true
	}
	byName := slices.SortedFunc(slices.Values(s.members.list), func(a, b member) int { return cmp.Compare(a.user, b.user) })
	for _, m := range byName {
		if m.Membership == nil {
			continue
		}
		at, found := slices.BinarySearch(s.roster.Users, m.user)
		if found {
			packed = binary.AppendUvarint(packed, uint64(at)+1)
		} else {
			packed = appendPacked(binary.AppendUvarint(packed, 0), []byte(m.user))
		}
		packed = appendPacked(packed, m.Encode()[packedHeader:])
	}
	return packed, true
}

func appendPacked(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// Unpack makes a State of what [State.Pack] returned, of which it keeps nothing. It returns nil where the generation is over at that time: what has become of it since is in the rows alone.
func Unpack(name string, packed []byte, now persistence.Instant) (*State, error) {
	p := unpacker{rest: packed[1:]}
	head := p.part()
	buffer := make([]byte, 0, 1024) // for two rows at a time, of which decoding keeps nothing
	row := func() []byte {
		from := len(buffer)
		buffer = append(append(buffer, head[:packedHeader]...), p.part()...)
		return buffer[from:]
	}
	s, err := Load(name, head, row(), row())
	if err != nil {
		return nil, err
	}
	if !s.alive(max(now, s.now)) {
		return nil, nil //nolint:nilnil // documented
	}
	s.complete = packed[0]&packedComplete != 0
	for range p.uint() {
		var user string
		if at := p.uint(); at > 0 {
			user = s.roster.Users[at-1]
		} else {
			user = string(p.part())
		}
		buffer = buffer[:0]
		if err := s.Learn(user, row()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// unpacker reads what Pack wrote, in this process: it is not malformed.
type unpacker struct{ rest []byte }

func (p *unpacker) uint() uint64 {
	v, n := binary.Uvarint(p.rest)
	p.rest = p.rest[n:]
	return v
}

func (p *unpacker) part() []byte {
	n := p.uint()
	part := p.rest[:n:n]
	p.rest = p.rest[n:]
	return part
}
