package persistence_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

// goldenRows are rows as they stand in stores that exist. They and their encodings in testdata are only ever added to: an encoding that changes
// without a new format version makes every store unreadable.
var goldenRows = map[string]struct {
	codec string
	row   any
}{
	"head/zero": {"head", &persistence.Head{}},
	"head/full": {"head", &persistence.Head{
		Generation: 7<<40 | 12, Version: 300, Born: 1_600_000_000_000_000, LastSeq: 1_000, LoudSeq: 998, LastSender: "alice",
		SentAt: 1_600_000_100_000_001, Ordered: 1_600_000_099_000_000, Preview: []byte("see you at 语"), Activity: 1_600_000_100_000_000,
		Floor: 41, Deadline: 1_602_592_100_000_000, Due: 1_602_592_000_000_000, Reason: persistence.ReasonExpired, Members: 129, Pins: 2, Held: true,
	}},
	"head/never": {"head", &persistence.Head{Generation: 1, Version: 1, Born: -1, Deadline: persistence.Never}},
	"head/rewound": {"head", &persistence.Head{
		Generation: 1, Version: 7, LastSeq: 57, Deadline: persistence.Never, Rewinds: []persistence.Rewind{{Number: 2, To: 40}, {Number: 5, To: 1_000}},
	}},
	"head/indexed": {"head", &persistence.Head{
		Generation: 1, Version: 7, Deadline: persistence.Never, Held: true, Changed: 1_600_000_000_000_001, Listed: 1_599_998_400_000_000, Noticed: 1_600_000_000_000_000,
	}},
	"head/large": {"head", &persistence.Head{
		Generation: 1, Version: 7, Deadline: persistence.Never, Changed: 1_600_000_000_000_001, Large: true, Rewinds: []persistence.Rewind{{Number: 2, To: 40}},
	}},
	"head/kept": {"head", &persistence.Head{
		Generation: 1, Version: 7, Deadline: persistence.Never, Kept: 1_602_592_100_000_000, Witness: "bob", Touched: 1_600_000_000_000_001,
	}},
	"head/alone": {"head", &persistence.Head{Generation: 1, Version: 7, Deadline: persistence.Never, Large: true, Alone: true}},
	"membership/indexed": {"membership", &persistence.Membership{
		Generation: 1, Version: 2, ReadSeq: 40, Left: true, Keep: true,
		Changed: 1_600_000_000_000_001, Noticed: 1_599_998_400_000_000, Frozen: 1_599_999_999_000_000, Rewinds: 5,
	}},
	"membership/rewound": {"membership", &persistence.Membership{Generation: 1, Version: 2, ReadSeq: 40, Rewinds: 5}},
	"membership/outlived": {"membership", &persistence.Membership{
		Generation: 1, Version: 2, ReadSeq: 40, MarkedUnread: true, Rewinds: 5, Changed: 1_600_000_000_000_001, Outlived: 1_599_999_999_000_007,
	}},
	"order":                {"order", persistence.Order{At: 1_600_000_000_000_001}},
	"tombstone":            {"tombstone", persistence.Tombstone{Generation: 7<<40 | 12, LastSeq: 1_000}},
	"tail/zero":            {"tail", &persistence.Tail{}},
	"tail/full":            {"tail", goldenTail()},
	"membership/zero":      {"membership", &persistence.Membership{}},
	"membership/full":      {"membership", goldenMembership()},
	"member":               {"member", persistence.Member{Generation: 7<<40 | 12}},
	"due/judged-from-head": {"due", persistence.Due{}},
	"due/ended":            {"due", persistence.Due{Ended: goldenEnded()}},
	"due/indexed":          {"due", persistence.Due{Ended: goldenEnded(), Index: persistence.Index{Listed: 1_599_998_400_000_000, Noticed: 1_600_000_000_000_000}}},
	"due/large": {"due", persistence.Due{
		Ended: &persistence.Ended{Reason: persistence.ReasonExpired, LastSeq: 4, Deadline: 1_602_592_100_000_000}, Index: persistence.Index{Large: true},
	}},
	"roster/empty": {"roster", &persistence.Roster{Generation: 7<<40 | 12, Version: 1}},
	"roster/full":  {"roster", &persistence.Roster{Generation: 7<<40 | 12, Version: 300, Users: []string{"alice", "bob"}}},
	"lineage": {"lineage", persistence.Lineage{
		{Mark: 0xfedcba9876543210, Until: 1_600_000_000_000_001}, {Mark: 1},
	}},
	"event": {"event", &persistence.Event{
		At: 1_602_592_100_250_000, Conversation: "lx:a", Generation: 7<<40 | 12, Ended: *goldenEnded(),
	}},
	"event/buried-apart": {"event", &persistence.Event{
		At: 1_602_592_100_250_000, Conversation: "lx:a", Generation: 7<<40 | 12, Ended: *goldenEnded(), BuriedApart: true,
	}},
	"sweep": {"sweep", persistence.Sweep{
		Mark: 0xfedcba9876543210, Shard: 255, After: "lx:a", Looked: 1_000_000, Changed: 300, Skipped: 1,
	}},
	"removal": {"removal", persistence.Removal{Generation: 7<<40 | 12, Reason: persistence.ReasonLeft}},
	"owner":   {"owner", persistence.Owner{Epoch: 7, NextEvent: 1 << 40}},
}

func goldenTail() *persistence.Tail {
	tail := &persistence.Tail{Generation: 7<<40 | 12, Version: 3}
	tail.Extend(1_000)
	tail.Senders.Set(998, "alice")
	tail.Senders.Set(999, "bob")
	tail.Senders.Set(1_000, "alice")
	tail.Uncounted.Set(999, true)
	tail.Everyone.Set(64, true)
	tail.Everyone.Set(1_000, true)
	return tail
}

func goldenMembership() *persistence.Membership {
	return &persistence.Membership{
		Generation: 7<<40 | 12, Version: 9, Revision: 1_600_000_000_123, VisibleFrom: 3, VisibleTo: 1_000, ReadSeq: 900,
		ReadAt: 1_600_000_000_000_000, DeliveredSeq: 950, ClearedSeq: 10, Mentions: []uint64{901, 1_000}, Left: true, Keep: true, MarkedUnread: true,
		Hide: persistence.HideUntilMessage, HiddenAt: 998, Pin: 1_600_000_000_000, MutedUntil: persistence.Never, Tags: 1 << 63,
		Custom: []byte{0, 1, 0xff}, Draft: &persistence.Draft{Text: []byte("not yet"), EditedAt: 1_600_000_000_000_002},
	}
}

func goldenEnded() *persistence.Ended {
	return &persistence.Ended{
		Reason: persistence.ReasonDeleted, LastSeq: 1_000, Deadline: 1_602_592_100_000_000, Users: []string{"alice", "bob"}, UsersTruncated: true,
	}
}

// goldenKeys are keys as they stand in stores that exist.
var goldenKeys = map[string][]byte{
	"head":           persistence.HeadKey("lx:a"),
	"tail":           persistence.TailKey("lx:a"),
	"member":         persistence.MemberKey("lx:a", "bob"),
	"due":            persistence.DueKey("lx:a", 1_602_592_100_000_000, 7<<40|12),
	"grave":          persistence.GraveKey("lx:a", 1_602_592_100_000_000, 7<<40|12),
	"sweep":          persistence.SweepKey(),
	"event":          persistence.EventKey(255, 1<<40),
	"membership":     persistence.MembershipKey("bob", "lx:a"),
	"removal":        persistence.RemovalKey("bob", 1<<40, "lx:a"),
	"removals-from":  persistence.RemovalsRange("bob", 1<<40).Start,
	"removals-end":   persistence.RemovalsRange("bob", 1<<40).End,
	"entry/active":   persistence.EntryKey("bob", persistence.EntryActive, 1_599_998_400_000_000, "lx:a"),
	"entry/noticed":  persistence.EntryKey("bob", persistence.EntryNoticed, 1_599_998_400_000_000, "lx:a"),
	"entry/own":      persistence.EntryKey("bob", persistence.EntryOwn, 1, "lx:a"),
	"entry/merged":   persistence.EntryKey("bob", persistence.EntryMerged, 0, "lx:a"),
	"entry/pinned":   persistence.EntryKey("bob", persistence.EntryPinned, 0, "lx:a"),
	"entries-from":   persistence.EntriesRange("bob", persistence.EntryActive, persistence.Never, 1).Start,
	"entries-end":    persistence.EntriesRange("bob", persistence.EntryActive, persistence.Never, 1).End,
	"roster":         persistence.RosterKey("lx:a"),
	"lineage":        persistence.LineageKey(),
	"order":          persistence.OrderKey("bob"),
	"orders-start":   persistence.OrdersRange(255).Start,
	"orders-end":     persistence.OrdersRange(255).End,
	"owner":          persistence.OwnerKey(255),
	"store":          persistence.StoreKey("format"),
	"heads-start":    persistence.HeadsRange(255).Start,
	"heads-end":      persistence.HeadsRange(255).End,
	"due-end":        persistence.DueRange(255, 0, persistence.Never).End,
	"events-end":     persistence.EventsRange(255, 1).End,
	"members-end":    persistence.MembersRange("lx:a").End,
	"memberships-to": persistence.MembershipsRange("bob").End,
}

func TestRowsOfExistingStoresKeepTheirEncoding(t *testing.T) {
	want := readGolden(t, "rows.hex")
	for name, golden := range goldenRows {
		c := codecs[golden.codec]
		if got := c.encode(golden.row); want[name] == nil || !bytes.Equal(got, want[name]) {
			t.Errorf("%s is encoded as\n%x\nwhere stores hold\n%x", name, got, want[name])
		}
	}
	refuseLeftovers(t, want, goldenRows)
}

func TestRowsOfExistingStoresStayReadable(t *testing.T) {
	for name, value := range readGolden(t, "rows.hex") {
		golden, ok := goldenRows[name]
		if !ok {
			continue // told by the test of encodings
		}
		got, err := codecs[golden.codec].decode(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(golden.row, got, sameRow); diff != "" {
			t.Errorf("%s reads differently (-stored +read):\n%s", name, diff)
		}
	}
}

func TestKeysOfExistingStoresKeepTheirEncoding(t *testing.T) {
	want := readGolden(t, "keys.hex")
	for name, got := range goldenKeys {
		if !bytes.Equal(got, want[name]) {
			t.Errorf("%s is\n%x\nwhere stores hold\n%x", name, got, want[name])
		}
	}
	refuseLeftovers(t, want, goldenKeys)
}

// refuseLeftovers keeps a golden encoding from going unchecked because its row was renamed or removed here.
func refuseLeftovers[V any](t *testing.T, file map[string][]byte, here map[string]V) {
	t.Helper()
	for name := range file {
		if _, ok := here[name]; !ok {
			t.Errorf("testdata has %s, which no test checks", name)
		}
	}
	if len(file) == 0 {
		t.Error("testdata is empty")
	}
}

// readGolden reads lines of "name hex"; an empty value is written as a dash.
func readGolden(tb testing.TB, file string) map[string][]byte {
	tb.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	values := map[string][]byte{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, digits, found := strings.Cut(lines.Text(), " ")
		if !found || values[name] != nil {
			tb.Fatalf("%s: malformed or repeated line %q", file, lines.Text())
		}
		value, err := hex.DecodeString(strings.TrimPrefix(digits, "-"))
		if err != nil {
			tb.Fatalf("%s: %s: %v", file, name, err)
		}
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return values
}
