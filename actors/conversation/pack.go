package conversation

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// maxPackedMembers is how many memberships are packed: a conversation in which more were in memory is packed without any, and reads those that it needs.
const maxPackedMembers = 8

// What is packed begins with two bytes of flags. Then there are groups of numbers, those of the memberships last, each of these behind a byte of flags. Behind the groups is what has no fixed
// size, the names first, which are one string for whoever unpacks it.
const (
	packedComplete  = 1 << iota // all memberships are packed
	packedHeld                  // as the head has it
	packedLarge                 // likewise
	packedForever               // the deadline is Never
	packedRare                  // a group of what most heads have not is packed
	packedUncounted             // the tail has such marks
	packedEveryone              // likewise
	packedAlone                 // as the head has it
	packedOpen      = 1 << 12   // posts may be added: see AddPost
)

// packedWidth is where the flags have how wide the places of the tail's senders are: the number of bits that it takes to say so, which is in packedWidths.
const (
	packedWidth  = 8
	packedWidths = 7
)

// Flags of a membership.
const (
	packedLeft = 1 << iota
	packedKeep
	packedMarked
	packedSettings // two groups of what most memberships have not are packed
	packedDraft    // there is one
)

// Pack appends to b what [Unpack] makes the same State of: all that its rows say, and those memberships that are known, in little memory. It is for this process alone. It returns
// false, and b as it was, where there is nothing to pack: no generation is alive at that time. Of one that is over the reaper deletes rows without asking, so that what is packed of it might
// outlive them.
func (s *State) Pack(b []byte, now persistence.Instant) ([]byte, bool) {
	if !s.alive(max(now, s.now)) {
		return b, false
	}
	p := s.packing()
	return p.pack(b), true
}

func (s *State) packing() packing {
	return packing{State: s, senders: s.tail.Senders.Parts(), names: nameTable{roster: s.roster.Users}}
}

// packing is a State that is being packed.
type packing struct {
	*State

	senders persistence.SendersParts
	names   nameTable
	known   [maxPackedMembers]packedMember
	open    bool
	room    int // for previews, where it is open
}

// packedMember is a membership to be packed, and its user's place in the table of names.
type packedMember struct {
	*persistence.Membership

	user uint64
}

func (p *packing) pack(b []byte) []byte {
	h := &p.head
	flags := p.flags()
	known, all := p.members.packable(p.known[:0])
	for i := range known {
		known[i].user = p.names.place(p.members.list[known[i].user].user)
	}
	begins := len(b)
	if p.complete && all {
		flags |= packedComplete
	}
	lastSender, witness := p.names.place(h.LastSender), p.names.place(h.Witness)
	var few [fewNames]uint16
	senders := few[:0]
	for _, name := range p.senders.Names {
		senders = append(senders, uint16(p.names.place(name)))
	}
	rare := group{
		h.Floor, h.Pins, since(h.Kept, h.Activity), since(h.Touched, h.Activity), since(h.Noticed, h.Activity), witness, uint64(len(h.Rewinds)),
	}
	if rare != (group{}) {
		flags |= packedRare
	}
	if p.open {
		flags |= packedOpen
	}
	b = binary.LittleEndian.AppendUint16(b, flags)
	if p.open {
		b = p.appendOpen(b, known)
	}
	b = (&group{
		uint64(len(p.roster.Users)), uint64(len(p.names.others)), uint64(len(senders)), uint64(len(p.senders.Ring)),
		uint64(len(h.Preview)), uint64(len(known)), lastSender, uint64(h.Reason ^ persistence.ReasonExpired),
	}).append(b)
	b = (&group{
		uint64(h.Generation), h.Version, h.LastSeq, apart(h.LoudSeq, h.LastSeq), h.Members, apart(p.tail.Version, h.Version), apart(p.tail.Last, h.LastSeq), p.roster.Version,
	}).append(b)
	times := p.times()
	b = times.append(b)
	if flags&packedRare != 0 {
		b = rare.append(b)
	}
	for i := range known {
		b = p.member(b, &known[i])
	}
	before := len(b)
	b = p.names.append(b)
	if p.open {
		p.nameSpeakers(b[begins:], known)
	}
	for _, place := range senders {
		b = binary.AppendUvarint(b, uint64(place))
	}
	b = append(b, p.senders.Ring...)
	b = appendMarks(appendMarks(b, &p.tail.Uncounted), &p.tail.Everyone)
	for _, r := range h.Rewinds {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r.Number), r.To)
	}
	for i := range known {
		b = known[i].appendRest(b)
	}
	b = append(b, h.Preview...)
	for len(b) < before+groupSlack {
		b = append(b, 0)
	}
	return b
}

// flags are those of the head and the tail.
func (p *packing) flags() uint16 {
	flags := uint16(bits.Len8(p.senders.Width)) << packedWidth
	for _, flag := range [...]struct {
		is  bool
		bit uint16
	}{
		{p.head.Held, packedHeld},
		{p.head.Large, packedLarge},
		{p.head.Alone, packedAlone},
		{p.head.Deadline == persistence.Never, packedForever},
		{!p.tail.Uncounted.Empty(), packedUncounted},
		{!p.tail.Everyone.Empty(), packedEveryone},
	} {
		if flag.is {
			flags |= flag.bit
		}
	}
	return flags
}

// times are the head's, most of which are near each other.
func (p *packing) times() group {
	h := &p.head
	deadline, near := uint64(0), h.Activity
	if h.Deadline != persistence.Never {
		deadline, near = apart(h.Deadline, h.Activity), h.Deadline
	}
	return group{
		uint64(h.Activity), apart(h.Born, h.Activity), apart(h.SentAt, h.Activity), apart(h.Ordered, h.SentAt), deadline, since(h.Due, near),
		since(h.Changed, h.Activity), minutesSince(h.Listed, h.Ordered),
	}
}

// member appends what has a fixed size of a membership.
func (p *packing) member(b []byte, m *packedMember) []byte {
	settings := [...]group{
		{m.Revision, m.VisibleTo, m.ClearedSeq, m.HiddenAt, m.Pin, uint64(m.MutedUntil), m.Tags, since(m.Frozen, p.head.Activity)},
		{m.Rewinds, uint64(m.Outlived), uint64(len(m.Mentions)), uint64(len(m.Custom)), uint64(m.Hide)},
	}
	var flags byte
	if m.Left {
		flags |= packedLeft
	}
	if m.Keep {
		flags |= packedKeep
	}
	if m.MarkedUnread {
		flags |= packedMarked
	}
	if m.Draft != nil {
		flags |= packedDraft
		settings[1][5], settings[1][6] = uint64(len(m.Draft.Text)), uint64(m.Draft.EditedAt)
	}
	if flags&packedDraft != 0 || settings != [2]group{} {
		flags |= packedSettings
	}
	b = (&group{
		m.user, m.Version, m.VisibleFrom, apart(m.ReadSeq, p.head.LastSeq), since(m.ReadAt, p.head.Activity), m.DeliveredSeq,
		since(m.Changed, p.head.Changed), minutesSince(m.Noticed, m.Changed),
	}).append(append(b, flags))
	if flags&packedSettings != 0 {
		b = settings[1].append(settings[0].append(b))
	}
	return b
}

// appendRest appends what has no fixed size of a membership.
func (m *packedMember) appendRest(b []byte) []byte {
	for _, seq := range m.Mentions {
		b = binary.AppendUvarint(b, seq)
	}
	b = append(b, m.Custom...)
	if m.Draft != nil {
		b = append(b, m.Draft.Text...)
	}
	return b
}

// packable appends those who are members to known, with their places in the list, and reports whether there was room for all. If not, it appends none.
func (s *members) packable(known []packedMember) (_ []packedMember, all bool) {
	for i, m := range s.list {
		if m.Membership == nil {
			continue
		}
		if len(known) == maxPackedMembers {
			return nil, false
		}
		known = append(known, packedMember{m.Membership, uint64(i)})
	}
	return known, true
}

// appendMarks appends which words are not zero, and those words; nothing where no message is marked.
func appendMarks(b []byte, marks *persistence.Marks) []byte {
	if marks.Empty() {
		return b
	}
	at, present := len(b), uint16(0)
	b = append(b, 0, 0)
	for i, word := range marks.Words() {
		if word != 0 {
			present |= 1 << i
			b = binary.LittleEndian.AppendUint64(b, word)
		}
	}
	binary.LittleEndian.PutUint16(b[at:], present)
	return b
}

// nameTable is the names that occur in a State: those of the roster first.
type nameTable struct{ roster, others []string }

// place returns the place of a name, from 1 on, and 0 for "". A name may have more than one where there are many.
func (t *nameTable) place(name string) uint64 {
	switch {
	case name == "":
		return 0
	case len(t.roster) <= fewNames:
		if i := slices.Index(t.roster, name); i >= 0 {
			return uint64(i + 1)
		}
	default:
		if i, found := slices.BinarySearch(t.roster, name); found {
			return uint64(i + 1)
		}
	}
	i := -1
	if len(t.others) <= fewNames {
		i = slices.Index(t.others, name)
	}
	if i < 0 {
		i = len(t.others)
		t.others = append(t.others, name)
	}
	return uint64(len(t.roster) + i + 1)
}

// of returns the name that has a place.
func (t *nameTable) of(place uint64) string {
	if place <= uint64(len(t.roster)) {
		return t.roster[place-1]
	}
	return t.others[place-1-uint64(len(t.roster))]
}

// append appends the lengths of all names, and the names.
func (t *nameTable) append(b []byte) []byte {
	for _, names := range [...][]string{t.roster, t.others} {
		for _, name := range names {
			b = binary.AppendUvarint(b, uint64(len(name)))
		}
	}
	for _, names := range [...][]string{t.roster, t.others} {
		for _, name := range names {
			b = append(b, name...)
		}
	}
	return b
}
