package persistence_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func within(r persistence.Range, key []byte) bool {
	return bytes.Compare(key, r.Start) >= 0 && bytes.Compare(key, r.End) < 0
}

// sameShard returns names that begin with name, itself included, and live in its shard, so that only the form of the keys keeps them apart.
func sameShard(name string) []string {
	family := []string{name}
	for i := range 20_000 {
		longer := fmt.Sprintf("%s%s%x", name, []string{"", ":", "/", "\x01", "a", ":y", "\U0010ffff"}[i%7], i)
		if len(longer) <= persistence.MaxName && persistence.ShardOf(longer) == persistence.ShardOf(name) {
			family = append(family, longer)
		}
	}
	return family
}

func TestAConversationsRangeHoldsItsMembersAndNobodyElses(t *testing.T) {
	users := []string{"a", "a/b", "\x01", ":", "\U0010ffff", strings.Repeat("u", persistence.MaxName)}
	for _, name := range []string{"lx:a", "lx:a:y", "lx:aa", "l/x:/", "a:\x01", "lx:" + strings.Repeat("z", 240), "lx:" + strings.Repeat("\U0010ffff", 60)} {
		family := sameShard(name)
		if len(family) < 20 {
			t.Fatalf("only %d names share the shard of %q", len(family), name)
		}
		for _, conversation := range family {
			r := persistence.MembersRange(conversation)
			for _, other := range family {
				for _, user := range users {
					if got := within(r, persistence.MemberKey(other, user)); got != (other == conversation) {
						t.Fatalf("MembersRange(%q) holds member %q of %q: %v", conversation, user, other, got)
					}
				}
				if within(r, persistence.HeadKey(other)) || within(r, persistence.TailKey(other)) || within(r, persistence.DueKey(other, 1, 1)) {
					t.Fatalf("MembersRange(%q) holds another kind of row of %q", conversation, other)
				}
			}
		}
	}
}

func TestAUsersRangeHoldsTheirMembershipsAndNobodyElses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user, conversation := drawName().Draw(t, "user"), drawConversation().Draw(t, "conversation")
		other := rapid.OneOf(drawName(), rapid.Custom(func(t *rapid.T) string { return user + drawName().Draw(t, "more") })).Draw(t, "other")
		r := persistence.MembershipsRange(user)
		if !within(r, persistence.MembershipKey(user, conversation)) {
			t.Fatalf("MembershipsRange(%q) misses %q", user, conversation)
		}
		if other != user && within(r, persistence.MembershipKey(other, conversation)) {
			t.Fatalf("MembershipsRange(%q) holds a membership of %q", user, other)
		}
		if within(r, persistence.RemovalKey(user, 1, conversation)) {
			t.Fatalf("MembershipsRange(%q) holds a removal", user)
		}
	})
}

// kin draws a user whose name is likely to begin with another's.
func kin(of string) *rapid.Generator[string] {
	return rapid.OneOf(rapid.Just(of), drawName(), rapid.Custom(func(t *rapid.T) string { return of + drawName().Draw(t, "more") }))
}

func TestARangeOfEntriesHoldsThoseOfOneUserAndKindAndTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user, conversation, kind := drawName().Draw(t, "user"), drawConversation().Draw(t, "conversation"), drawEntryKind().Draw(t, "kind")
		oldest, newest := drawDeadline().Draw(t, "oldest"), drawDeadline().Draw(t, "newest")
		oldest, newest = min(oldest, newest), max(oldest, newest)
		r := persistence.EntriesRange(user, kind, newest, oldest)
		other, otherKind := kin(user).Draw(t, "other"), drawEntryKind().Draw(t, "other kind")
		for _, at := range []persistence.Instant{
			drawDeadline().Draw(t, "at"), oldest, newest, max(oldest, 1) - 1, max(newest, 1) - 1, min(oldest, persistence.Never-1) + 1, min(newest, persistence.Never-1) + 1,
		} {
			key := persistence.EntryKey(other, otherKind, at, conversation)
			if got, want := within(r, key), other == user && otherKind == kind && oldest <= at && at <= newest; got != want {
				t.Fatalf("EntriesRange(%q, %c, %d, %d) holds the entry of %q, %c, %d: %v", user, kind, newest, oldest, other, otherKind, at, got)
			}
			if !within(persistence.AllEntries(), key) {
				t.Fatalf("AllEntries misses %q", key)
			}
		}
		if within(r, persistence.MembershipKey(user, conversation)) || within(r, persistence.RemovalKey(user, uint64(newest), conversation)) {
			t.Fatalf("EntriesRange(%q) holds another kind of row", user)
		}
	})
}

func TestARangeOfRemovalsHoldsThoseOfOneUserFromAStampOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user, conversation := drawName().Draw(t, "user"), drawConversation().Draw(t, "conversation")
		from := drawUint().Draw(t, "from")
		r := persistence.RemovalsRange(user, from)
		other := kin(user).Draw(t, "other")
		for _, stamp := range []uint64{drawUint().Draw(t, "stamp"), from, max(from, 1) - 1, from + 1} {
			key := persistence.RemovalKey(other, stamp, conversation)
			if got, want := within(r, key), other == user && stamp >= from; got != want {
				t.Fatalf("RemovalsRange(%q, %d) holds the removal of %q with stamp %d: %v", user, from, other, stamp, got)
			}
			if !within(persistence.AllRemovals(), key) {
				t.Fatalf("AllRemovals misses %q", key)
			}
		}
		if within(r, persistence.MembershipKey(user, conversation)) || within(persistence.AllRemovals(), persistence.MembershipKey(user, conversation)) ||
			within(persistence.AllEntries(), persistence.RemovalKey(user, from, conversation)) {
			t.Fatalf("a range holds another kind of row of %q", user)
		}
	})
}

func TestAShardsRangesHoldItsOwnRowsOfOneKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conversation := drawConversation().Draw(t, "conversation")
		home := persistence.ShardOf(conversation)
		shard := rapid.OneOf(rapid.Just(home), drawShard()).Draw(t, "shard")
		heads, dues, events := persistence.HeadsRange(shard), persistence.DueRange(shard, 0, persistence.Never), persistence.EventsRange(shard, 0)
		deadline := drawDeadline().Draw(t, "deadline")
		for name, c := range map[string]struct {
			key   []byte
			holds [3]bool // heads, dues, events
		}{
			"head":   {persistence.HeadKey(conversation), [3]bool{home == shard, false, false}},
			"tail":   {persistence.TailKey(conversation), [3]bool{}},
			"member": {persistence.MemberKey(conversation, "u"), [3]bool{}},
			"due":    {persistence.DueKey(conversation, deadline, 1), [3]bool{false, home == shard, false}},
			"event":  {persistence.EventKey(home, drawUint().Draw(t, "number")), [3]bool{false, false, home == shard}},
			"owner":  {persistence.OwnerKey(home), [3]bool{}},
		} {
			if got := [3]bool{within(heads, c.key), within(dues, c.key), within(events, c.key)}; got != c.holds {
				t.Fatalf("the ranges of heads, due entries and events of shard %d hold the %s of shard %d: %v; want %v", shard, name, home, got, c.holds)
			}
		}
	})
}

func TestADueRangeIncludesBothItsEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conversation := drawConversation().Draw(t, "conversation")
		from, to := drawDeadline().Draw(t, "from"), drawDeadline().Draw(t, "to")
		from, to = min(from, to), max(from, to)
		r := persistence.DueRange(persistence.ShardOf(conversation), from, to)
		around := func(i persistence.Instant) []persistence.Instant {
			return []persistence.Instant{max(i, 1) - 1, i, min(i, persistence.Never-1) + 1}
		}
		for _, deadline := range append(append(around(from), around(to)...), drawDeadline().Draw(t, "deadline")) {
			key := persistence.DueKey(conversation, deadline, drawGeneration().Draw(t, "generation"))
			if got, want := within(r, key), from <= deadline && deadline <= to; got != want {
				t.Fatalf("DueRange from %d to %d holds an entry due at %d: %v", from, to, deadline, got)
			}
		}
	})
}

func TestAnEventsRangeStartsAtItsNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shard, from, number := drawShard().Draw(t, "shard"), drawUint().Draw(t, "from"), drawUint().Draw(t, "number")
		if got := within(persistence.EventsRange(shard, from), persistence.EventKey(shard, number)); got != (number >= from) {
			t.Fatalf("EventsRange from %d holds event %d: %v", from, number, got)
		}
	})
}

func TestAPrefixRangeHoldsExactlyWhatStartsWithThePrefix(t *testing.T) {
	edge := rapid.SampledFrom([]byte{0x00, 0x01, 'a', 0xfe, 0xff})
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SliceOfN(edge, 1, 4).Filter(func(p []byte) bool { return len(bytes.Trim(p, "\xff")) > 0 }).Draw(t, "prefix")
		key := rapid.OneOf(
			rapid.SliceOfN(edge, 0, 6),
			rapid.Custom(func(t *rapid.T) []byte {
				return append(bytes.Clone(prefix), rapid.SliceOfN(edge, 0, 3).Draw(t, "more")...)
			}),
		).Draw(t, "key")
		before := bytes.Clone(prefix)
		if got, want := within(persistence.PrefixRange(prefix), key), bytes.HasPrefix(key, prefix); got != want {
			t.Fatalf("PrefixRange(%x) holds %x: %v", prefix, key, got)
		}
		if !bytes.Equal(prefix, before) {
			t.Fatalf("PrefixRange changed its prefix from %x to %x", before, prefix)
		}
	})
}

func TestAPrefixRangeEndsBehindAllThatStartsWithThePrefix(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "\x00": "\x01", "a\xff": "b", "a\xff\xff": "b", "\xfe\xff": "\xff", "a\x00": "a\x01", "\xff\x00": "\xff\x01"} {
		r := persistence.PrefixRange([]byte(prefix))
		if string(r.Start) != prefix || string(r.End) != want {
			t.Errorf("PrefixRange(%q) = %q to %q; want %q to %q", prefix, r.Start, r.End, prefix, want)
		}
	}
}

func TestAfterIsTheNextPossibleKey(t *testing.T) {
	edge := rapid.SliceOfN(rapid.SampledFrom([]byte{0x00, 'a', 0xff}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		r := persistence.PrefixRange([]byte{'k'})
		key := append([]byte{'k'}, edge.Draw(t, "key")...)
		other := append([]byte{'k'}, edge.Draw(t, "other")...)
		rest := r.After(key)
		if got, want := within(rest, other), bytes.Compare(other, key) > 0; got != want {
			t.Fatalf("the rest of the range after %x holds %x: %v", key, other, got)
		}
	})
}
