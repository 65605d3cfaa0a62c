package persistence

import (
	"encoding/binary"
	"fmt"
)

// Reason says why a conversation, or a user's part in it, came to an end. The numbers are those of the wire.
type Reason uint8

// The reasons.
const (
	ReasonNone Reason = iota
	ReasonExpired
	ReasonDeleted
	ReasonLeft
	ReasonHidden
	ReasonForgotten
)

// String returns the reason's name in logs and metrics.
func (r Reason) String() string {
	names := [...]string{"none", "expired", "deleted", "left", "hidden", "forgotten"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

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
)

// Encode returns the row's value.
func (h *Head) Encode() []byte {
	b := make([]byte, 0, 96+len(h.LastSender)+len(h.Preview))
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
		h.Held, h.Large = flags&headHeld != 0, flags&headLarge != 0
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

// Hide says whether and until when a user's list leaves a conversation out. The numbers are those of the wire.
type Hide uint8

// The ways of hiding.
const (
	HideNone Hide = iota
	HideUntilMessage
	HideAlways
)

// Draft is an unsent message.
type Draft struct {
	Text     []byte
	EditedAt Instant
}

// MaxMentions is how many of the latest mentions of a user a membership remembers.
const MaxMentions = 64

// Membership is one user's state in one conversation.
type Membership struct {
	Generation   Generation
	Version      uint64   // grows by one with each change of this row within a generation
	Revision     uint64   // the highest one applied
	VisibleFrom  uint64   // the first message the user may see
	VisibleTo    uint64   // the last message when the user last left: the last one they may see while they are Left
	ReadSeq      uint64   // read up to
	ReadAt       Instant  // when ReadSeq last grew
	DeliveredSeq uint64   // delivered up to
	ClearedSeq   uint64   // history up to here is gone for the user
	Mentions     []uint64 // the latest messages that name the user, ascending, at most MaxMentions
	Left         bool     // left, or was removed; only a join brings the user back
	Keep         bool     // left, but keeps the conversation in their list, frozen
	MarkedUnread bool     // until the next read
	Hide         Hide
	HiddenAt     uint64 // with HideUntilMessage: a message that is not silent ends the hiding if its number is higher
	Pin          uint64
	MutedUntil   Instant
	Tags         uint64
	Custom       []byte
	Draft        *Draft
	Changed      Instant // by the engine's clock: when this row last changed; never goes back
	Noticed      Instant // in the key of its EntryOwn; zero: it has none
	Frozen       Instant // of one who left: Head.Ordered at that time
	Rewinds      uint64  // the head's rewinds up to this number are in the marks above
	Outlived     Instant // the Order to forget the user that was being carried out when this began, and does not mean it; zero: there was none
}

const (
	memberLeft = 1 << iota
	memberKeep
	memberMarkedUnread
	memberDraft
	memberRewound
	memberIndexed
	memberOutlived
)

// Encode returns the row's value.
func (m *Membership) Encode() []byte {
	b := make([]byte, 0, 64+len(m.Custom)+4*len(m.Mentions))
	b = appendHeader(b, m.Generation)
	var flags byte
	if m.Left {
		flags |= memberLeft
	}
	if m.Keep {
		flags |= memberKeep
	}
	if m.MarkedUnread {
		flags |= memberMarkedUnread
	}
	if m.Draft != nil {
		flags |= memberDraft
	}
	if m.Rewinds > 0 {
		flags |= memberRewound
	}
	if m.Changed != 0 || m.Noticed != 0 || m.Frozen != 0 {
		flags |= memberIndexed
	}
	if m.Outlived != 0 {
		flags |= memberOutlived
	}
	b = append(b, flags, byte(m.Hide))
	if m.Outlived != 0 {
		b = appendInstant(b, m.Outlived) // here, where whoever compares two rows finds it without reading on
	}
	for _, v := range [...]uint64{
		m.Version, m.Revision, m.VisibleFrom, m.VisibleTo, m.ReadSeq, m.DeliveredSeq, m.ClearedSeq, m.HiddenAt, m.Pin, m.Tags,
	} {
		b = binary.AppendUvarint(b, v)
	}
	b = appendInstant(b, m.ReadAt)
	b = appendInstant(b, m.MutedUntil)
	b = appendBytes(b, m.Custom)
	b = binary.AppendUvarint(b, uint64(len(m.Mentions)))
	for _, seq := range m.Mentions {
		b = binary.AppendUvarint(b, seq)
	}
	if m.Draft != nil {
		b = appendBytes(b, m.Draft.Text)
		b = appendInstant(b, m.Draft.EditedAt)
	}
	if m.Rewinds > 0 {
		b = binary.AppendUvarint(b, m.Rewinds)
	}
	if flags&memberIndexed != 0 {
		b = appendInstant(appendInstant(appendInstant(b, m.Changed), m.Noticed), m.Frozen)
	}
	return b
}

// DecodeMembership reads a [Membership].
func DecodeMembership(value []byte) (*Membership, error) {
	d := decode(value)
	m := &Membership{Generation: Generation(d.fixed64())}
	flags := d.byte()
	m.Left, m.Keep, m.MarkedUnread = flags&memberLeft != 0, flags&memberKeep != 0, flags&memberMarkedUnread != 0
	m.Hide = Hide(d.byte())
	if flags&memberOutlived != 0 {
		m.Outlived = d.instant()
	}
	for _, field := range [...]*uint64{
		&m.Version, &m.Revision, &m.VisibleFrom, &m.VisibleTo, &m.ReadSeq, &m.DeliveredSeq, &m.ClearedSeq, &m.HiddenAt, &m.Pin, &m.Tags,
	} {
		*field = d.uint()
	}
	m.ReadAt, m.MutedUntil = d.instant(), d.instant()
	m.Custom = d.bytes()
	if n := d.count(); n > 0 {
		m.Mentions = make([]uint64, n)
		for i := range m.Mentions {
			m.Mentions[i] = d.uint()
		}
	}
	if flags&memberDraft != 0 {
		m.Draft = &Draft{Text: d.bytes(), EditedAt: d.instant()}
	}
	if flags&memberRewound != 0 {
		m.Rewinds = d.uint()
	}
	if flags&memberIndexed != 0 {
		m.Changed, m.Noticed, m.Frozen = d.instant(), d.instant(), d.instant()
	}
	if err := d.done(); err != nil {
		return nil, rowError("membership", err)
	}
	return m, nil
}

// Member lists a user in a conversation, for deletion and for reading a roster. It carries the generation alone.
type Member struct{ Generation Generation }

// Encode returns the row's value.
func (m Member) Encode() []byte { return appendHeader(make([]byte, 0, 9), m.Generation) }

// DecodeMember reads a [Member].
func DecodeMember(value []byte) (Member, error) {
	d := decode(value)
	m := Member{Generation: Generation(d.fixed64())}
	return m, rowError("member", d.done())
}

// MaxEndedUsers is how many users an [Ended] names.
const MaxEndedUsers = 100

// Ended is how a generation came to its end. It is the value of a due entry from the moment that it can no longer be told from the head,
// and it goes into the event.
type Ended struct {
	Reason   Reason
	LastSeq  uint64
	Deadline Instant // when the generation was over
	// Users are its members, at most MaxEndedUsers. Of a large conversation those are left out who are in a later generation already, or whose rows went with one that was deleted
	// before this one.
	Users          []string
	UsersTruncated bool // there were more
}

const (
	endedTruncated = 1 << iota
	endedIndexed   // in a due entry: an Index follows
	endedApart     // in an event
)

func (e *Ended) append(b []byte, flags byte) []byte {
	b = append(b, byte(e.Reason))
	b = binary.AppendUvarint(b, e.LastSeq)
	b = appendInstant(b, e.Deadline)
	if e.UsersTruncated {
		flags |= endedTruncated
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(len(e.Users)))
	for _, user := range e.Users {
		b = appendString(b, user)
	}
	return b
}

func (d *decoder) ended() (e Ended, flags byte) {
	e = Ended{Reason: Reason(d.byte()), LastSeq: d.uint(), Deadline: d.instant()}
	flags = d.byte()
	e.UsersTruncated = flags&endedTruncated != 0
	if n := d.count(); n > 0 {
		e.Users = make([]string, n)
		for i := range e.Users {
			e.Users[i] = d.string()
		}
	}
	return e, flags
}

// Due is a due entry: it has its generation looked at when the deadline in its key comes. Ended is nil while that must be judged from the head.
type Due struct {
	Ended *Ended
	Index Index // where Ended is set
}

// Index is where the entries of a generation's members stand: what the reaper must know to remove them once the head is gone. See [Head].
type Index struct {
	Listed, Noticed Instant
	Large           bool
}

// Index returns where the entries of the head's members stand.
func (h *Head) Index() Index { return Index{Listed: h.Listed, Noticed: h.Noticed, Large: h.Large} }

// Encode returns the row's value, which is empty where Ended is nil.
func (d Due) Encode() []byte {
	if d.Ended == nil {
		return nil
	}
	if d.Index == (Index{}) {
		return d.Ended.append([]byte{format}, 0)
	}
	b := d.Ended.append([]byte{format}, endedIndexed)
	var large byte
	if d.Index.Large {
		large = 1
	}
	return append(appendInstant(appendInstant(b, d.Index.Listed), d.Index.Noticed), large)
}

// DecodeDue reads a [Due].
func DecodeDue(value []byte) (Due, error) {
	if len(value) == 0 {
		return Due{}, nil
	}
	d := decode(value)
	ended, flags := d.ended()
	due := Due{Ended: &ended}
	if flags&endedIndexed != 0 {
		due.Index = Index{Listed: d.instant(), Noticed: d.instant(), Large: d.byte() != 0}
	}
	if err := d.done(); err != nil {
		return Due{}, rowError("due entry", err)
	}
	return due, nil
}

// Event says that a generation expired. It is written in the commit that deletes the generation's head.
type Event struct {
	At           Instant // when the deletion was committed, by the engine's clock
	Conversation string
	Generation   Generation
	Ended
	BuriedApart bool // the generation's tombstone does not go with this event: it had a GraveKey of its own, or there was none
}

// Encode returns the row's value.
func (e *Event) Encode() []byte {
	b := appendHeader(make([]byte, 0, 64), e.Generation)
	b = appendInstant(b, e.At)
	b = appendString(b, e.Conversation)
	var flags byte
	if e.BuriedApart {
		flags = endedApart
	}
	return e.append(b, flags)
}

// DecodeEvent reads an [Event].
func DecodeEvent(value []byte) (*Event, error) {
	d := decode(value)
	e := &Event{Generation: Generation(d.fixed64()), At: d.instant(), Conversation: d.string()}
	var flags byte
	e.Ended, flags = d.ended()
	e.BuriedApart = flags&endedApart != 0
	if err := d.done(); err != nil {
		return nil, rowError("event", err)
	}
	return e, nil
}

// Removal tells a user's devices why a conversation left their list.
type Removal struct {
	Generation Generation
	Reason     Reason
}

// Encode returns the row's value.
func (r Removal) Encode() []byte {
	return append(appendHeader(make([]byte, 0, 10), r.Generation), byte(r.Reason))
}

// DecodeRemoval reads a [Removal].
func DecodeRemoval(value []byte) (Removal, error) {
	d := decode(value)
	r := Removal{Generation: Generation(d.fixed64()), Reason: Reason(d.byte())}
	return r, rowError("removal", d.done())
}

// Owner is the latest ownership of a shard, and the number that its next event will have.
type Owner struct {
	Epoch     Epoch
	NextEvent uint64
}

// Encode returns the row's value.
func (o Owner) Encode() []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{format}, uint64(o.Epoch)), o.NextEvent)
}

// DecodeOwner reads an [Owner].
func DecodeOwner(value []byte) (Owner, error) {
	d := decode(value)
	o := Owner{Epoch: Epoch(d.uint()), NextEvent: d.uint()}
	return o, rowError("owner", d.done())
}

func appendHeader(b []byte, generation Generation) []byte {
	return binary.BigEndian.AppendUint64(append(b, format), uint64(generation))
}

// GenerationOf returns the generation that a value carries behind its format version: those of heads, tombstones, tails, rosters, members,
// memberships, entries, events and removals do. It is what a guarded delete compares.
func GenerationOf(value []byte) (Generation, error) {
	d := decode(value)
	generation := Generation(d.fixed64())
	return generation, d.err
}

func rowError(row string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", err, row)
}
