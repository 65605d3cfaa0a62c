package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

var explainedHour = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func lookedUp(name string, entry parleyv1.EntryKind, hoursAgo int, fate parleyv1.Fate) *parleyv1.LookedUp {
	l := &parleyv1.LookedUp{Conversation: name, Entry: entry, Fate: fate}
	if entry == parleyv1.EntryKind_ENTRY_ACTIVE {
		l.At = timestamppb.New(explainedHour.Add(-time.Duration(hoursAgo) * time.Hour))
	}
	return l
}

func TestAnExplanationIsATableOfWherePartsOfAListWereFound(t *testing.T) {
	explained := &parleyv1.ExplainListResponse{
		Cost: &parleyv1.ReadCost{Entries: 12, Merged: 3, Conversations: 7, Rows: 18, Pending: 3},
		Took: durationpb.New(1204 * time.Microsecond),
		LookedUp: []*parleyv1.LookedUp{
			lookedUp("group:1", parleyv1.EntryKind_ENTRY_PINNED, 0, parleyv1.Fate_FATE_SHOWN),
			lookedUp("group:2", parleyv1.EntryKind_ENTRY_MERGED, 0, parleyv1.Fate_FATE_SHOWN),
			lookedUp("group:3", parleyv1.EntryKind_ENTRY_MERGED, 0, parleyv1.Fate_FATE_LATER),
			lookedUp("group:4", parleyv1.EntryKind_ENTRY_ACTIVE, 0, parleyv1.Fate_FATE_FILTERED),
			lookedUp("group:5", parleyv1.EntryKind_ENTRY_ACTIVE, 0, parleyv1.Fate_FATE_EARLIER),
			lookedUp("group:\x1b[2J", parleyv1.EntryKind_ENTRY_ACTIVE, 3, parleyv1.Fate_FATE_GONE),
			lookedUp("group:7", parleyv1.EntryKind_ENTRY_ACTIVE, 3, parleyv1.Fate(77)), // of a later server
		},
		LeftOut: 2, NextPageToken: "next",
	}
	want := `ann: 2 shown, in 1.204ms
       12 entries of the index, of which 3 merged
        7 conversations looked up
       18 rows, of which 3 were in memory: not in the store yet

found   hour (UTC)       looked up  shown  later  earlier  filtered  gone
pinned                           1      1      0        0         0     0
merged                           2      1      1        0         0     0
active  2026-03-01 12:00         2      0      0        1         1     0
active  2026-03-01 09:00         2      0      0        0         0     1

found   at (UTC)         fate      conversation
pinned                   shown     group:1
merged                   shown     group:2
merged                   later     group:3
active  2026-03-01 12:00 filtered  group:4
active  2026-03-01 12:00 earlier   group:5
active  2026-03-01 09:00 gone      "group:\x1b[2J"
active  2026-03-01 09:00 77        group:7

2 more were looked up, and are not in the table

the next page: --page-token next
`
	if diff := cmp.Diff(want, explanation("ann", explained, true)); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestAnExplanationFitsATerminal(t *testing.T) {
	explained := &parleyv1.ExplainListResponse{Cost: &parleyv1.ReadCost{Entries: 1 << 40, Conversations: 1 << 40}, Took: durationpb.New(time.Hour)}
	const hours = 500
	for i := range hours {
		name := "group:" + strings.Repeat("é", 100)
		explained.LookedUp = append(explained.LookedUp, lookedUp(name, parleyv1.EntryKind_ENTRY_ACTIVE, i, parleyv1.Fate_FATE_LATER))
	}
	for line := range strings.Lines(explanation(strings.Repeat("\x07", 255), explained, true)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
		if strings.ContainsAny(line, "\x07") {
			t.Errorf("a line rings the bell: %q", line)
		}
	}
	short := explanation("ann", explained, false)
	if n := strings.Count(short, "\n"); n > 24 {
		t.Errorf("%d lines without --each:\n%s", n, short)
	}
	if last := fmt.Sprintf("%d before that", hours-explainLines+1); !strings.Contains(short, last) {
		t.Errorf("there is no %q in\n%s", last, short)
	}
	total := 0
	for _, f := range shortened(foundOf(explained.GetLookedUp())) {
		total += f.lookedUp()
	}
	if total != hours {
		t.Errorf("the lines stand for %d conversations, want %d", total, hours)
	}
}
