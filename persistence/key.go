package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Key spaces, and the kinds of row within a shard.
const (
	spaceShard   = 'k'
	spaceUser    = 'u'
	spaceEntry   = 'b'
	spaceRemoval = 'r'
	spaceOwner   = 'o'
	spaceStore   = 's'

	kindHead    = 'c'
	kindTail    = 't'
	kindMember  = 'm'
	kindDue     = 'd'
	kindEvent   = 'e'
	kindRoster  = 'r'
	kindLineage = 'l'
	kindOrder   = 'f'
	kindGrave   = 'g'
	kindSweep   = 'w'
)

// ErrKey says that a key is not of the form its place in the keyspace asks for.
var ErrKey = errors.New("persistence: malformed key")

func shardKey(shard Shard, kind byte, room int) []byte {
	return appendShard(make([]byte, 0, 4+room), shard, kind)
}

func appendShard(b []byte, shard Shard, kind byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(b, spaceShard), uint16(shard)), kind)
}

func appendName(key []byte, name string) []byte { return append(append(key, name...), 0) }

// HeadKey is the key of a conversation's [Head] or [Tombstone].
func HeadKey(conversation string) []byte {
	return AppendHeadKey(make([]byte, 0, 5+len(conversation)), conversation)
}

// AppendHeadKey appends a [HeadKey] to b.
func AppendHeadKey(b []byte, conversation string) []byte {
	return appendName(appendShard(b, ShardOf(conversation), kindHead), conversation)
}

// HeadsRange holds the heads and tombstones of a shard, in the order of their names.
func HeadsRange(shard Shard) Range { return PrefixRange(shardKey(shard, kindHead, 0)) }

// NamespaceRange holds those of the heads and tombstones of a shard that are of a namespace.
func NamespaceRange(shard Shard, namespace string) Range {
	return PrefixRange(append(append(shardKey(shard, kindHead, len(namespace)+1), namespace...), ':'))
}

// GraveKey is the key of the entry that has a tombstone removed at a time. Its value is empty.
func GraveKey(conversation string, at Instant, generation Generation) []byte {
	key := DueKey(conversation, at, generation)
	key[3] = kindGrave
	return key
}

// GravesRange holds a shard's [GraveKey] entries, earliest first.
func GravesRange(shard Shard) Range { return PrefixRange(shardKey(shard, kindGrave, 0)) }

// ParseGraveKey returns what is in a [GraveKey].
func ParseGraveKey(key []byte) (conversation string, at Instant, generation Generation, err error) {
	return parseDue(key, KindGrave)
}

// TailKey is the key of a conversation's [Tail].
func TailKey(conversation string) []byte {
	return AppendTailKey(make([]byte, 0, 5+len(conversation)), conversation)
}

// AppendTailKey appends a [TailKey] to b.
func AppendTailKey(b []byte, conversation string) []byte {
	return appendName(appendShard(b, ShardOf(conversation), kindTail), conversation)
}

// MemberKey is the key of the [Member] row that lists a user in a conversation.
func MemberKey(conversation, user string) []byte {
	key := shardKey(ShardOf(conversation), kindMember, len(conversation)+len(user)+2)
	return appendName(appendName(key, conversation), user)
}

// MembersRange holds the [Member] rows of a conversation, in the order of the users' names.
func MembersRange(conversation string) Range {
	return PrefixRange(appendName(shardKey(ShardOf(conversation), kindMember, len(conversation)+1), conversation))
}

// RosterKey is the key of a conversation's [Roster].
func RosterKey(conversation string) []byte {
	return appendName(shardKey(ShardOf(conversation), kindRoster, len(conversation)+1), conversation)
}

// DueKey is the key of the entry that has a generation looked at when its deadline comes. The deadline must not be negative.
func DueKey(conversation string, deadline Instant, generation Generation) []byte {
	key := shardKey(ShardOf(conversation), kindDue, 8+len(conversation)+1+8)
	key = binary.BigEndian.AppendUint64(key, uint64(deadline))
	key = appendName(key, conversation)
	return binary.BigEndian.AppendUint64(key, uint64(generation))
}

// DueRange holds a shard's due entries with deadlines from `from` (included) to `to` (included), in order.
func DueRange(shard Shard, from, to Instant) Range {
	start := binary.BigEndian.AppendUint64(shardKey(shard, kindDue, 8), uint64(from))
	end := binary.BigEndian.AppendUint64(shardKey(shard, kindDue, 8), uint64(to))
	return Range{Start: start, End: prefixEnd(end)}
}

// EventKey is the key of a shard's [Event] with this number.
func EventKey(shard Shard, number uint64) []byte {
	return binary.BigEndian.AppendUint64(shardKey(shard, kindEvent, 8), number)
}

// EventsRange holds a shard's events with numbers from `from` on.
func EventsRange(shard Shard, from uint64) Range {
	return Range{Start: EventKey(shard, from), End: prefixEnd(shardKey(shard, kindEvent, 0))}
}

// MembershipKey is the key of a user's [Membership] in a conversation.
func MembershipKey(user, conversation string) []byte {
	return AppendMembershipKey(make([]byte, 0, len(user)+len(conversation)+3), user, conversation)
}

// AppendMembershipKey appends a [MembershipKey] to b.
func AppendMembershipKey(b []byte, user, conversation string) []byte {
	return appendName(appendName(append(b, spaceUser), user), conversation)
}

// MembershipsRange holds a user's [Membership] rows, in the order of the conversations' names.
func MembershipsRange(user string) Range {
	return PrefixRange(appendName([]byte{spaceUser}, user))
}

// RemovalKey is the key of the [Removal] that tells a user's devices that a conversation went away.
func RemovalKey(user string, stamp uint64, conversation string) []byte {
	key := make([]byte, 0, len(user)+len(conversation)+11)
	key = appendName(append(key, spaceRemoval), user)
	return appendName(binary.BigEndian.AppendUint64(key, stamp), conversation)
}

// RemovalsRange holds a user's removals with stamps from `from` on, in the order of their stamps.
func RemovalsRange(user string, from uint64) Range {
	of := appendName([]byte{spaceRemoval}, user)
	return Range{Start: binary.BigEndian.AppendUint64(slices.Clip(of), from), End: prefixEnd(of)}
}

// AllRemovals holds the removals of all users.
func AllRemovals() Range { return PrefixRange([]byte{spaceRemoval}) }

// ParseRemovalKey returns what is in a [RemovalKey].
func ParseRemovalKey(key []byte) (user string, stamp uint64, conversation string, err error) {
	user, stamp, conversation, ok := parseStamped(key, 1)
	if !ok || KindOf(key) != KindRemoval {
		return "", 0, "", malformed(key)
	}
	return user, stamp, conversation, nil
}

// parseStamped reads a name, eight bytes and a name from key[from:].
func parseStamped(key []byte, from int) (first string, stamp uint64, second string, ok bool) {
	if len(key) < from {
		return "", 0, "", false
	}
	rest := key[from:]
	end := bytes.IndexByte(rest, 0)
	if end < 1 || len(rest) < end+1+8+2 || rest[len(rest)-1] != 0 || bytes.IndexByte(rest[end+9:], 0) != len(rest)-end-10 {
		return "", 0, "", false
	}
	return string(rest[:end]), binary.BigEndian.Uint64(rest[end+1:]), string(rest[end+9 : len(rest)-1]), true
}

// OwnerKey is the key of a shard's [Owner].
func OwnerKey(shard Shard) []byte {
	return binary.BigEndian.AppendUint16([]byte{spaceOwner}, uint16(shard))
}

// StoreKey is the key of a row about the store itself.
func StoreKey(name string) []byte { return append([]byte{spaceStore}, name...) }

// Kind tells what row a key belongs to.
type Kind byte

// The kinds of row.
const (
	KindUnknown Kind = iota
	KindHead
	KindTail
	KindMember
	KindDue
	KindEvent
	KindMembership
	KindRoster
	KindEntry
	KindRemoval
	KindLineage
	KindOrder
	KindGrave
	KindSweep
	KindOwner
	KindStore
)

// KindOf returns the kind of the row under key, or [KindUnknown].
func KindOf(key []byte) Kind {
	if len(key) == 0 {
		return KindUnknown
	}
	switch key[0] {
	case spaceUser:
		return KindMembership
	case spaceEntry:
		return KindEntry
	case spaceRemoval:
		return KindRemoval
	case spaceOwner:
		return KindOwner
	case spaceStore:
		return KindStore
	case spaceShard:
		if len(key) < 4 {
			return KindUnknown
		}
		switch key[3] {
		case kindHead:
			return KindHead
		case kindTail:
			return KindTail
		case kindMember:
			return KindMember
		case kindDue:
			return KindDue
		case kindEvent:
			return KindEvent
		case kindRoster:
			return KindRoster
		case kindLineage:
			return KindLineage
		case kindOrder:
			return KindOrder
		case kindGrave:
			return KindGrave
		case kindSweep:
			return KindSweep
		}
	}
	return KindUnknown
}

// ParseHeadKey returns the conversation of a [HeadKey].
func ParseHeadKey(key []byte) (conversation string, err error) {
	names, err := parseNames(key, KindHead, 4, 1)
	if err != nil {
		return "", err
	}
	return names[0], nil
}

// ParseMemberKey returns the two names in a [MemberKey].
func ParseMemberKey(key []byte) (conversation, user string, err error) {
	names, err := parseNames(key, KindMember, 4, 2)
	if err != nil {
		return "", "", err
	}
	return names[0], names[1], nil
}

// ParseMembershipKey returns the two names in a [MembershipKey].
func ParseMembershipKey(key []byte) (user, conversation string, err error) {
	names, err := parseNames(key, KindMembership, 1, 2)
	if err != nil {
		return "", "", err
	}
	return names[0], names[1], nil
}

// ParseDueKey returns what is in a [DueKey].
func ParseDueKey(key []byte) (conversation string, deadline Instant, generation Generation, err error) {
	return parseDue(key, KindDue)
}

func parseDue(key []byte, kind Kind) (conversation string, at Instant, generation Generation, err error) {
	if KindOf(key) != kind || len(key) < 4+8+1+8 {
		return "", 0, 0, malformed(key)
	}
	names, err := parseNames(key[:len(key)-8], kind, 12, 1)
	if err != nil {
		return "", 0, 0, malformed(key)
	}
	at = Instant(binary.BigEndian.Uint64(key[4:]))
	generation = Generation(binary.BigEndian.Uint64(key[len(key)-8:]))
	return names[0], at, generation, nil
}

// ParseEventKey returns what is in an [EventKey].
func ParseEventKey(key []byte) (shard Shard, number uint64, err error) {
	if KindOf(key) != KindEvent || len(key) != 12 {
		return 0, 0, malformed(key)
	}
	return Shard(binary.BigEndian.Uint16(key[1:])), binary.BigEndian.Uint64(key[4:]), nil
}

// parseNames reads exactly n NUL-ended names, of which none is empty, from key[from:].
func parseNames(key []byte, kind Kind, from, n int) ([2]string, error) {
	var names [2]string
	if KindOf(key) != kind || len(key) < from {
		return names, malformed(key)
	}
	rest := key[from:]
	for i := range n {
		end := bytes.IndexByte(rest, 0)
		if end < 1 {
			return names, malformed(key)
		}
		names[i], rest = string(rest[:end]), rest[end+1:]
	}
	if len(rest) != 0 {
		return names, malformed(key)
	}
	return names, nil
}

func malformed(key []byte) error { return fmt.Errorf("%w: %q", ErrKey, key) }
