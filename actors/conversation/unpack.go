package conversation

import (
	"encoding/binary"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// Unpack makes a State of what [State.Pack] returned, of which it keeps nothing. It returns nil where the generation is over at that time: what has become of it since is in the rows alone.
func Unpack(name string, packed []byte, now persistence.Instant) (*State, error) {
	var memory Desk
	return memory.Unpack(name, packed, now)
}

// Desk is the memory of a State that is unpacked only to be changed, and packed again: the next one takes it over. The zero Desk is ready. It belongs to one goroutine at a time.
type Desk struct {
	state   *State
	members []persistence.Membership
	list    []member
	names   []string // of the roster first
	senders []string
	places  []byte // those of the senders, of the tail's last messages
	preview []byte
	marks   [2]*persistence.MarkWords
	// raised begins anew for each State, where none of those before it can have come to: an answer to what one of them asked is none to what another asks.
	raised uint64
}

// raisedApart is more than one State ever counts.
const raisedApart = 1 << 32

// Unpack does as [Unpack] does. The State that it returned before is none any more; what that has returned, outcomes, rows and views, stays.
func (d *Desk) Unpack(name string, packed []byte, now persistence.Instant) (*State, error) {
	if d.state == nil {
		d.state = &State{}
	}
	s := d.state
	d.raised += raisedApart
	s.name, s.present, s.dirty, s.raised, s.nextWitness = name, true, dirty{}, d.raised, ""
	u := unpacking{Desk: d, flags: binary.LittleEndian.Uint16(packed), rest: packed[2:]}
	var since openPacked
	if u.flags&packedOpen != 0 {
		since = packed
		u.rest = packed[since.size():]
	}
	rare := u.head()
	s.floor, s.complete = persistence.Tombstone{LastSeq: s.head.Floor}, u.flags&packedComplete != 0
	u.memberships()
	if since != nil {
		since.unpackHead(&s.head, &s.tail)
	}
	s.now = s.head.Activity
	if !s.alive(max(now, s.now)) {
		return nil, nil //nolint:nilnil // documented
	}
	u.table()
	s.head.LastSender, s.head.Witness = u.name(u.counts[6]), u.name(rare[5])
	for i := range s.members.list {
		s.members.list[i].user = u.name(u.users[i].place)
	}
	u.tail()
	s.head.Rewinds = u.rewinds(int(rare[6]))
	for i := range s.members.list {
		u.memberRest(s.members.list[i].Membership, &u.users[i])
	}
	d.preview = append(d.preview[:0], u.bytes(u.counts[4])...)
	if since != nil && since.posts() > 0 {
		d.preview = append(d.preview[:0], since.room()[:since.short(openPreview)]...)
		since.unpackPosts(s)
	}
	if since != nil {
		since.unpackSoil(s)
	}
	s.head.Preview = d.preview
	if len(u.rest) > groupSlack { // where nothing stands behind the groups, all of it is slack
		return nil, fmt.Errorf("conversation: %d bytes are left of what was packed of %s", len(u.rest), name)
	}
	return s, nil
}

// Keep has the State that was unpacked last keep its memory: it goes on like any other, and the desk gets other memory for the next.
func (d *Desk) Keep() { *d = Desk{raised: d.raised} }

// unpacking is what is left of a State that is being unpacked.
type unpacking struct {
	*Desk

	flags  uint16
	counts group
	rest   []byte
	users  [maxPackedMembers]packedUser
}

// packedUser is whose membership is unpacked, as a place in the table of names, and how much there is of what has no fixed size.
type packedUser struct{ place, mentions, custom, draft uint64 }

func (u *unpacking) uint() uint64 {
	v, n := binary.Uvarint(u.rest)
	u.rest = u.rest[n:]
	return v
}

// bytes returns the next n bytes, still part of what is packed.
func (u *unpacking) bytes(n uint64) []byte {
	b := u.rest[:n:n]
	u.rest = u.rest[n:]
	return b
}

// name returns the name that has a place in the table.
func (u *unpacking) name(place uint64) string {
	if place == 0 {
		return ""
	}
	return u.names[place-1]
}
