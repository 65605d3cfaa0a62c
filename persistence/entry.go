package persistence

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
)

// EntryKind says what an entry of a user's index of conversations is for.
type EntryKind byte

// The kinds of entry. Those with an instant stand where something last happened or somewhat before that, not under each moment, so that they move seldom.
const (
	// EntryActive finds a conversation of a small roster by its last activity: Head.Listed.
	EntryActive EntryKind = 'a'
	// EntryNoticed finds one by its last change of another sort, where that was so much later that no other entry leads to it: Head.Noticed.
	EntryNoticed EntryKind = 'h'
	// EntryOwn finds one by the last change that was the user's alone: Membership.Noticed.
	EntryOwn EntryKind = 'o'
	// EntryMerged finds one whose head must be asked: of a large roster, or of which the user keeps a frozen view. It has no instant.
	EntryMerged EntryKind = 'm'
	// EntryPinned finds one that the user has pinned. It has no instant.
	EntryPinned EntryKind = 'p'
)

// EntryReach is how much later than the instant of an entry that may be by which the entry is to be found: less than this later, and not earlier. Readers rely on it.
const EntryReach = Instant(time.Hour / time.Microsecond)

// EntryKey is the key of an entry, whose value is a [Member]: the generation alone. Later instants come first.
func EntryKey(user string, kind EntryKind, at Instant, conversation string) []byte {
	key := make([]byte, 0, len(user)+len(conversation)+12)
	key = appendName(append(key, spaceEntry), user)
	key = binary.BigEndian.AppendUint64(append(key, byte(kind)), ^uint64(at))
	return appendName(key, conversation)
}

// EntriesRange holds a user's entries of a kind with instants from `newest` (included) back to `oldest` (included), newest first.
func EntriesRange(user string, kind EntryKind, newest, oldest Instant) Range {
	of := append(appendName([]byte{spaceEntry}, user), byte(kind))
	start := binary.BigEndian.AppendUint64(slices.Clip(of), ^uint64(newest))
	end := binary.BigEndian.AppendUint64(slices.Clip(of), ^uint64(oldest))
	return Range{Start: start, End: prefixEnd(end)}
}

// UserEntriesRange holds a user's entries of all kinds.
func UserEntriesRange(user string) Range { return PrefixRange(appendName([]byte{spaceEntry}, user)) }

// AllEntries holds the entries of all users.
func AllEntries() Range { return PrefixRange([]byte{spaceEntry}) }

// ParseEntryKey returns what is in an [EntryKey].
func ParseEntryKey(key []byte) (user string, kind EntryKind, at Instant, conversation string, err error) {
	if KindOf(key) != KindEntry {
		return "", 0, 0, "", malformed(key)
	}
	end := bytes.IndexByte(key, 0)
	if end < 2 || len(key) < end+2+8+2 {
		return "", 0, 0, "", malformed(key)
	}
	name := key[end+10:]
	if bytes.IndexByte(name, 0) != len(name)-1 {
		return "", 0, 0, "", malformed(key)
	}
	switch kind = EntryKind(key[end+1]); kind {
	case EntryActive, EntryNoticed, EntryOwn, EntryMerged, EntryPinned:
		return string(key[1:end]), kind, Instant(^binary.BigEndian.Uint64(key[end+2:])), string(name[:len(name)-1]), nil
	}
	return "", 0, 0, "", malformed(key)
}

// MaxRoster is how many users a [Roster] names. A conversation that once had more is large for the rest of its generation, and has none.
const MaxRoster = 64

// Roster names the members of a conversation that are few, so that the entries of all of them can be moved by whoever has no more than the head, and so that each of two can
// be told the other.
type Roster struct {
	Generation Generation
	Version    uint64   // grows by one with each change of this row within a generation
	Users      []string // ascending
}

// Encode returns the row's value.
func (r *Roster) Encode() []byte { return r.Append(make([]byte, 0, 16+16*len(r.Users))) }

// Append appends the row's value to b.
func (r *Roster) Append(b []byte) []byte {
	b = binary.AppendUvarint(appendHeader(b, r.Generation), r.Version)
	b = binary.AppendUvarint(b, uint64(len(r.Users)))
	for _, user := range r.Users {
		b = appendString(b, user)
	}
	return b
}

// DecodeRoster reads a [Roster].
func DecodeRoster(value []byte) (*Roster, error) {
	d := decode(value)
	r := &Roster{Generation: Generation(d.fixed64()), Version: d.uint(), Users: d.strings(MaxRoster)}
	if err := d.done(); err != nil {
		return nil, rowError("roster", err)
	}
	return r, nil
}
