package persistence

import "encoding/binary"

// Head is a conversation's own state.
type Head struct {
	Generation Generation
	Version    uint64 // grows by one with each change of the head within a generation
	Born       Instant
	Floor      uint64 // the last message that generations before this one are known to have reached: a repeat of those changes nothing
	LastSeq    uint64 // the last message's number; a generation begun by a join starts where the one before ended
	LoudSeq    uint64 // the last message's that was not silent
	LastSender string
	SentAt     Instant // when the last message was sent, for display; never after it was proposed
	Ordered    Instant // what lists sort by: the highest SentAt of loud messages, or Born
	Preview    []byte
	Activity   Instant // by the engine's clock: when the deadline last moved
	Deadline   Instant // from this moment on the generation is over; Never: it does not expire
	Due        Instant // the deadline in the key of its due entry, never after Deadline; zero: it has none
	Reason     Reason  // what ends it at Deadline: ReasonExpired, or ReasonDeleted once that was proposed
	Members    uint64  // memberships that have not left
	Pins       uint64  // memberships that pin it
	Held       bool
	Changed    Instant  // by the engine's clock: when this row, or the tail, last changed in a way that members see; never goes back
	Listed     Instant  // in the keys of its members' EntryActive; zero: they have none
	Noticed    Instant  // in the keys of its members' EntryNoticed; zero: they have none
	Large      bool     // its members have EntryMerged instead, and it has no Roster
	Rewinds    []Rewind // ascending in both numbers: what memberships that were written before them have yet to be cut to
	// Kept is when the generation's retention runs out, where it is kept for as long as a member has something unread: its Deadline is then Never, until it is found that
	// nobody has. Zero: it is not kept.
	Kept    Instant
	Witness string  // with Kept: a member who has something unread, found once the retention had run out; as long as there is one, nothing is due. "": none is known
	Touched Instant // when anything last changed, a member's own marks among them, where the retention goes by that; zero: it is not known
	Alone   bool    // nothing of an earlier generation was left when it began, but for its due entry where that is deleted last; false: or it is not known
}

// Tombstone stands in a head's place for a while after a generation was deleted, so that a late repeat of an old post changes nothing.
type Tombstone struct {
	Generation Generation
	LastSeq    uint64
}

// What stands under a HeadKey.
const (
	isHead      = 0
	isTombstone = 1
)

const (
	headHeld = 1 << iota
	headRewound
	headIndexed
	headLarge
	headKept
	headTouched
	headAlone
)

// Encode returns the row's value.
func (h *Head) Encode() []byte {
	return h.Append(make([]byte, 0, 112+len(h.LastSender)+len(h.Preview)))
}

// Append appends the row's value to b.
func (h *Head) Append(b []byte) []byte {
	b = appendHeader(b, h.Generation)
	b = append(b, isHead)
	b = binary.AppendUvarint(b, h.Version)
	b = appendInstant(b, h.Born)
	b = binary.AppendUvarint(b, h.Floor)
	b = binary.AppendUvarint(b, h.LastSeq)
	b = binary.AppendUvarint(b, h.LoudSeq)
	b = appendString(b, h.LastSender)
	b = appendInstant(b, h.SentAt)
	b = appendInstant(b, h.Ordered)
	b = appendBytes(b, h.Preview)
	b = appendInstant(b, h.Activity)
	b = appendInstant(b, h.Deadline)
	b = appendInstant(b, h.Due)
	b = append(b, byte(h.Reason))
	b = binary.AppendUvarint(b, h.Members)
	b = binary.AppendUvarint(b, h.Pins)
	var flags byte
	if h.Held {
		flags |= headHeld
	}
	if len(h.Rewinds) > 0 {
		flags |= headRewound
	}
	if h.Changed != 0 || h.Listed != 0 || h.Noticed != 0 {
		flags |= headIndexed
	}
	if h.Large {
		flags |= headLarge
	}
	if h.Kept != 0 || h.Witness != "" {
		flags |= headKept
	}
	if h.Touched != 0 {
		flags |= headTouched
	}
	if h.Alone {
		flags |= headAlone
	}
	b = append(b, flags)
	if flags&headIndexed != 0 {
		b = appendInstant(appendInstant(appendInstant(b, h.Changed), h.Listed), h.Noticed)
	}
	if len(h.Rewinds) > 0 {
		b = binary.AppendUvarint(b, uint64(len(h.Rewinds)))
		for _, r := range h.Rewinds {
			b = binary.AppendUvarint(binary.AppendUvarint(b, r.Number), r.To)
		}
	}
	if flags&headKept != 0 {
		b = appendString(appendInstant(b, h.Kept), h.Witness)
	}
	if flags&headTouched != 0 {
		b = appendInstant(b, h.Touched)
	}
	return b
}

// Encode returns the row's value.
func (t Tombstone) Encode() []byte {
	b := appendHeader(make([]byte, 0, 20), t.Generation)
	return binary.AppendUvarint(append(b, isTombstone), t.LastSeq)
}

// DecodeHead reads what stands under a [HeadKey]: a head, or where that is nil, a tombstone.
func DecodeHead(value []byte) (*Head, Tombstone, error) {
	d := decode(value)
	generation := Generation(d.fixed64())
	switch d.byte() {
	case isHead:
		h := &Head{
			Generation: generation,
			Version:    d.uint(),
			Born:       d.instant(),
			Floor:      d.uint(),
			LastSeq:    d.uint(),
			LoudSeq:    d.uint(),
			LastSender: d.string(),
			SentAt:     d.instant(),
			Ordered:    d.instant(),
			Preview:    d.bytes(),
			Activity:   d.instant(),
			Deadline:   d.instant(),
			Due:        d.instant(),
			Reason:     Reason(d.byte()),
			Members:    d.uint(),
			Pins:       d.uint(),
		}
		flags := d.byte()
		h.Held, h.Large, h.Alone = flags&headHeld != 0, flags&headLarge != 0, flags&headAlone != 0
		if flags&headIndexed != 0 {
			h.Changed, h.Listed, h.Noticed = d.instant(), d.instant(), d.instant()
		}
		if flags&headRewound != 0 {
			h.Rewinds = make([]Rewind, d.count())
			for i := range h.Rewinds {
				h.Rewinds[i] = Rewind{Number: d.uint(), To: d.uint()}
			}
		}
		if flags&headKept != 0 {
			h.Kept, h.Witness = d.instant(), d.string()
		}
		if flags&headTouched != 0 {
			h.Touched = d.instant()
		}
		if err := d.done(); err != nil {
			return nil, Tombstone{}, rowError("head", err)
		}
		return h, Tombstone{}, nil
	case isTombstone:
		t := Tombstone{Generation: generation, LastSeq: d.uint()}
		return nil, t, rowError("tombstone", d.done())
	default:
		d.fail()
		return nil, Tombstone{}, rowError("head", d.done())
	}
}
