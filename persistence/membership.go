package persistence

import "encoding/binary"

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
	return m.Append(make([]byte, 0, 64+len(m.Custom)+4*len(m.Mentions)))
}

// Append appends the row's value to b.
func (m *Membership) Append(b []byte) []byte {
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
