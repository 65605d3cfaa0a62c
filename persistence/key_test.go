package persistence_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func drawShard() *rapid.Generator[persistence.Shard] {
	return rapid.Custom(func(t *rapid.T) persistence.Shard {
		return persistence.Shard(rapid.Uint16Range(0, persistence.Shards-1).Draw(t, "shard"))
	})
}

func drawDeadline() *rapid.Generator[persistence.Instant] {
	return rapid.Custom(func(t *rapid.T) persistence.Instant {
		return persistence.Instant(rapid.OneOf(rapid.Int64Range(0, math.MaxInt64), rapid.Just(int64(math.MaxInt64))).Draw(t, "deadline"))
	})
}

func TestWhatIsInAKeyComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conversation, user := drawConversation().Draw(t, "conversation"), drawName().Draw(t, "user")
		if c, err := persistence.ParseHeadKey(persistence.HeadKey(conversation)); err != nil || c != conversation {
			t.Fatalf("ParseHeadKey = %q, %v; want %q", c, err, conversation)
		}
		if c, u, err := persistence.ParseMemberKey(persistence.MemberKey(conversation, user)); err != nil || c != conversation || u != user {
			t.Fatalf("ParseMemberKey = %q, %q, %v; want %q, %q", c, u, err, conversation, user)
		}
		if u, c, err := persistence.ParseMembershipKey(persistence.MembershipKey(user, conversation)); err != nil || c != conversation || u != user {
			t.Fatalf("ParseMembershipKey = %q, %q, %v; want %q, %q", u, c, err, user, conversation)
		}
		deadline, generation := drawDeadline().Draw(t, "deadline"), drawGeneration().Draw(t, "generation")
		c, d, g, err := persistence.ParseDueKey(persistence.DueKey(conversation, deadline, generation))
		if err != nil || c != conversation || d != deadline || g != generation {
			t.Fatalf("ParseDueKey = %q, %d, %d, %v; want %q, %d, %d", c, d, g, err, conversation, deadline, generation)
		}
		kind, at := drawEntryKind().Draw(t, "kind"), drawInstant().Draw(t, "at")
		u, k, i, c, err := persistence.ParseEntryKey(persistence.EntryKey(user, kind, at, conversation))
		if err != nil || u != user || k != kind || i != at || c != conversation {
			t.Fatalf("ParseEntryKey = %q, %c, %d, %q, %v; want %q, %c, %d, %q", u, k, i, c, err, user, kind, at, conversation)
		}
		stamp := drawUint().Draw(t, "stamp")
		u, s, c, err := persistence.ParseRemovalKey(persistence.RemovalKey(user, stamp, conversation))
		if err != nil || u != user || s != stamp || c != conversation {
			t.Fatalf("ParseRemovalKey = %q, %d, %q, %v; want %q, %d, %q", u, s, c, err, user, stamp, conversation)
		}
		if u, err := persistence.ParseOrderKey(persistence.OrderKey(user)); err != nil || u != user {
			t.Fatalf("ParseOrderKey = %q, %v; want %q", u, err, user)
		}
		shard, number := drawShard().Draw(t, "shard"), drawUint().Draw(t, "number")
		if s, n, err := persistence.ParseEventKey(persistence.EventKey(shard, number)); err != nil || s != shard || n != number {
			t.Fatalf("ParseEventKey = %d, %d, %v; want %d, %d", s, n, err, shard, number)
		}
	})
}

// everyKey returns a key of each kind.
func everyKey(t *rapid.T) map[persistence.Kind][]byte {
	conversation, user := drawConversation().Draw(t, "conversation"), drawName().Draw(t, "user")
	return map[persistence.Kind][]byte{
		persistence.KindHead:       persistence.HeadKey(conversation),
		persistence.KindTail:       persistence.TailKey(conversation),
		persistence.KindMember:     persistence.MemberKey(conversation, user),
		persistence.KindDue:        persistence.DueKey(conversation, drawDeadline().Draw(t, "deadline"), drawGeneration().Draw(t, "generation")),
		persistence.KindEvent:      persistence.EventKey(drawShard().Draw(t, "shard"), drawUint().Draw(t, "number")),
		persistence.KindMembership: persistence.MembershipKey(user, conversation),
		persistence.KindRemoval:    persistence.RemovalKey(user, drawUint().Draw(t, "stamp"), conversation),
		persistence.KindRoster:     persistence.RosterKey(conversation),
		persistence.KindEntry:      persistence.EntryKey(user, drawEntryKind().Draw(t, "entry"), drawInstant().Draw(t, "at"), conversation),
		persistence.KindLineage:    persistence.LineageKey(),
		persistence.KindOrder:      persistence.OrderKey(user),
		persistence.KindGrave:      persistence.GraveKey(conversation, drawDeadline().Draw(t, "buried until"), drawGeneration().Draw(t, "buried")),
		persistence.KindSweep:      persistence.SweepKey(),
		persistence.KindOwner:      persistence.OwnerKey(drawShard().Draw(t, "owned")),
		persistence.KindStore:      persistence.StoreKey("format"),
	}
}

// parsers read the keys that can be read; each must refuse all others.
var parsers = map[persistence.Kind]func([]byte) error{
	persistence.KindHead:       func(key []byte) error { _, err := persistence.ParseHeadKey(key); return err },
	persistence.KindMember:     func(key []byte) error { _, _, err := persistence.ParseMemberKey(key); return err },
	persistence.KindDue:        func(key []byte) error { _, _, _, err := persistence.ParseDueKey(key); return err },
	persistence.KindGrave:      func(key []byte) error { _, _, _, err := persistence.ParseGraveKey(key); return err },
	persistence.KindEvent:      func(key []byte) error { _, _, err := persistence.ParseEventKey(key); return err },
	persistence.KindMembership: func(key []byte) error { _, _, err := persistence.ParseMembershipKey(key); return err },
	persistence.KindEntry:      func(key []byte) error { _, _, _, _, err := persistence.ParseEntryKey(key); return err },
	persistence.KindOrder:      func(key []byte) error { _, err := persistence.ParseOrderKey(key); return err },
	persistence.KindRemoval:    func(key []byte) error { _, _, _, err := persistence.ParseRemovalKey(key); return err },
}

func TestAKeyIsOfOneKindOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for kind, key := range everyKey(t) {
			if got := persistence.KindOf(key); got != kind {
				t.Fatalf("KindOf(%q) = %d; want %d", key, got, kind)
			}
			for other, parse := range parsers {
				if err := parse(key); (err == nil) != (other == kind) || err != nil && !errors.Is(err, persistence.ErrKey) {
					t.Fatalf("the parser of kind %d reads key %q of kind %d: %v", other, key, kind, err)
				}
			}
		}
	})
}

func TestATruncatedOrExtendedKeyIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for kind, key := range everyKey(t) {
			parse := parsers[kind]
			if parse == nil {
				continue
			}
			for n := range key {
				if err := parse(key[:n]); !errors.Is(err, persistence.ErrKey) {
					t.Fatalf("the first %d of %d bytes of %q: %v; want ErrKey", n, len(key), key, err)
				}
			}
			if err := parse(append(bytes.Clone(key), 'x')); !errors.Is(err, persistence.ErrKey) {
				t.Fatalf("%q and a byte more: %v; want ErrKey", key, err)
			}
		}
	})
}

func TestUnknownKeysAreOfNoKind(t *testing.T) {
	for _, key := range []string{"", "x", "a\x00", "k", "k\x00\x00", "k\x00\x00z", "\x00", "\xff"} {
		if got := persistence.KindOf([]byte(key)); got != persistence.KindUnknown {
			t.Errorf("KindOf(%q) = %d; want KindUnknown", key, got)
		}
	}
}

func TestKeysOfEmptyNamesAreRefused(t *testing.T) {
	for _, c := range []struct {
		kind persistence.Kind
		key  []byte
	}{
		{persistence.KindHead, persistence.HeadKey("")},
		{persistence.KindMember, persistence.MemberKey("lx:a", "")},
		{persistence.KindMember, persistence.MemberKey("", "bob")},
		{persistence.KindMembership, persistence.MembershipKey("bob", "")},
		{persistence.KindMembership, persistence.MembershipKey("", "lx:a")},
		{persistence.KindDue, persistence.DueKey("", 1, 1)},
		{persistence.KindEntry, persistence.EntryKey("", persistence.EntryActive, 1, "lx:a")},
		{persistence.KindEntry, persistence.EntryKey("bob", persistence.EntryActive, 1, "")},
		{persistence.KindOrder, persistence.OrderKey("")},
		{persistence.KindRemoval, persistence.RemovalKey("", 1, "lx:a")},
		{persistence.KindRemoval, persistence.RemovalKey("bob", 1, "")},
	} {
		if err := parsers[c.kind](c.key); !errors.Is(err, persistence.ErrKey) {
			t.Errorf("the parser of kind %d reads %q: %v; want ErrKey", c.kind, c.key, err)
		}
	}
}

func TestMembersSortAsTheirNamesDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conversation := drawConversation().Draw(t, "conversation")
		a, b := drawName().Draw(t, "a"), drawName().Draw(t, "b")
		sameOrder(t, a, b, persistence.MemberKey(conversation, a), persistence.MemberKey(conversation, b))
		sameOrder(t, a, b, persistence.MembershipKey(a, conversation), persistence.MembershipKey(b, conversation))
		sameOrder(t, a, b, persistence.MembershipKey("bob", a), persistence.MembershipKey("bob", b))
	})
}

func TestConversationsOfAShardSortAsTheirNamesDo(t *testing.T) {
	names := sameShard("lx:a")
	for _, a := range names {
		for _, b := range names {
			sameOrder(t, a, b, persistence.HeadKey(a), persistence.HeadKey(b))
			sameOrder(t, a, b, persistence.TailKey(a), persistence.TailKey(b))
			sameOrder(t, a, b, persistence.MemberKey(a, "u"), persistence.MemberKey(b, "u"))
			sameOrder(t, a, b, persistence.DueKey(a, 1, 1), persistence.DueKey(b, 1, 1))
		}
	}
}

func sameOrder(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, a, b string, keyA, keyB []byte,
) {
	t.Helper()
	if names, keys := bytes.Compare([]byte(a), []byte(b)), bytes.Compare(keyA, keyB); names != keys {
		t.Fatalf("%q and %q compare as %d, but their keys %q and %q as %d", a, b, names, keyA, keyB, keys)
	}
}

func TestDueEntriesSortByDeadline(t *testing.T) {
	names := sameShard("lx:a")
	rapid.Check(t, func(t *rapid.T) {
		early, late := drawDeadline().Draw(t, "early"), drawDeadline().Draw(t, "late")
		if early == late {
			t.Skip("equal")
		}
		early, late = min(early, late), max(early, late)
		a := persistence.DueKey(rapid.SampledFrom(names).Draw(t, "a"), early, drawGeneration().Draw(t, "generation of a"))
		b := persistence.DueKey(rapid.SampledFrom(names).Draw(t, "b"), late, drawGeneration().Draw(t, "generation of b"))
		if bytes.Compare(a, b) >= 0 {
			t.Fatalf("the entry due at %d sorts behind the one due at %d", early, late)
		}
	})
}

func TestEventsSortByNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shard, a, b := drawShard().Draw(t, "shard"), drawUint().Draw(t, "a"), drawUint().Draw(t, "b")
		less := bytes.Compare(persistence.EventKey(shard, a), persistence.EventKey(shard, b)) < 0
		if less != (a < b) {
			t.Fatalf("the key of event %d below that of %d: %v", a, b, less)
		}
	})
}

func TestLaterEntriesOfAKindComeFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := drawEntryKind().Draw(t, "kind")
		early, late := drawDeadline().Draw(t, "early"), drawDeadline().Draw(t, "late")
		if early == late {
			t.Skip("equal")
		}
		early, late = min(early, late), max(early, late)
		first := persistence.EntryKey("bob", kind, late, drawConversation().Draw(t, "later"))
		second := persistence.EntryKey("bob", kind, early, drawConversation().Draw(t, "earlier"))
		if bytes.Compare(first, second) >= 0 {
			t.Fatalf("the entry of %d does not sort before that of %d", late, early)
		}
	})
}

func TestEntriesOfUnknownKindsAreRefused(t *testing.T) {
	for kind := range 256 {
		known := bytes.IndexByte([]byte("ahomp"), byte(kind)) >= 0
		_, _, _, _, err := persistence.ParseEntryKey(persistence.EntryKey("bob", persistence.EntryKind(kind), 1, "lx:a")) //nolint:dogsled // only the error counts
		if (err == nil) != known || err != nil && !errors.Is(err, persistence.ErrKey) {
			t.Errorf("kind %q: %v", byte(kind), err)
		}
	}
}

func TestANameThatGoesOnBehindItsEndIsRefused(t *testing.T) {
	for kind, key := range map[persistence.Kind][]byte{
		persistence.KindEntry:   persistence.EntryKey("bob", persistence.EntryActive, 1, "lx:a\x00b"),
		persistence.KindRemoval: persistence.RemovalKey("bob", 1, "lx:a\x00b"),
	} {
		if err := parsers[kind](key); !errors.Is(err, persistence.ErrKey) {
			t.Errorf("the parser of kind %d reads %q: %v; want ErrKey", kind, key, err)
		}
	}
}
