package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

const (
	explainLines = 16 // of the table: what stands for older hours is one line
	explainName  = 42 // characters of a conversation's name: a line fits 80
)

// found is one line of the table: what became of the conversations that were found in one place.
type found struct {
	entry parleyv1.EntryKind
	hour  string
	fates [6]int // by the number of the fate; the first: none, or one that is not known here
}

func (f *found) lookedUp() (n int) {
	for _, k := range f.fates {
		n += k
	}
	return n
}

func (f *found) line() string {
	return fmt.Sprintf("%-7s %-16s %9d %6d %6d %8d %9d %5d\n", entryWord(f.entry), f.hour, f.lookedUp(), f.fates[parleyv1.Fate_FATE_SHOWN],
		f.fates[parleyv1.Fate_FATE_LATER], f.fates[parleyv1.Fate_FATE_EARLIER], f.fates[parleyv1.Fate_FATE_FILTERED], f.fates[parleyv1.Fate_FATE_GONE])
}

// explanation is what the command prints.
func explanation(user string, e *parleyv1.ExplainListResponse, each bool) string {
	var b strings.Builder
	lines := foundOf(e.GetLookedUp())
	shown := 0
	for i := range lines {
		shown += lines[i].fates[parleyv1.Fate_FATE_SHOWN]
	}
	cost := e.GetCost()
	fmt.Fprintf(&b, "%s: %d shown, in %v\n", printable(user, explainName), shown, e.GetTook().AsDuration())
	fmt.Fprintf(&b, "%9d entries of the index, of which %d merged\n", cost.GetEntries(), cost.GetMerged())
	fmt.Fprintf(&b, "%9d conversations looked up\n", cost.GetConversations())
	fmt.Fprintf(&b, "%9d rows, of which %d were in memory: not in the store yet\n", cost.GetRows(), cost.GetPending())
	if len(lines) > 0 {
		fmt.Fprintf(&b, "\n%-7s %-16s %9s %6s %6s %8s %9s %5s\n", "found", "hour (UTC)", "looked up", "shown", "later", "earlier", "filtered", "gone")
		for _, f := range shortened(lines) {
			b.WriteString(f.line())
		}
	}
	if each && len(lines) > 0 {
		fmt.Fprintf(&b, "\n%-7s %-16s %-9s %s\n", "found", "at (UTC)", "fate", "conversation")
		for _, l := range e.GetLookedUp() {
			fate := strings.ToLower(strings.TrimPrefix(l.GetFate().String(), "FATE_"))
			fmt.Fprintf(&b, "%-7s %-16s %-9s %s\n", entryWord(l.GetEntry()), timeOf(l, 0), fate, printable(l.GetConversation(), explainName))
		}
	}
	if left := e.GetLeftOut(); left > 0 {
		fmt.Fprintf(&b, "\n%d more were looked up, and are not in the table\n", left)
	}
	if next := e.GetNextPageToken(); next != "" {
		fmt.Fprintf(&b, "\nthe next page: --page-token %s\n", next)
	}
	return b.String()
}

// foundOf counts conversations by where they were found, in the order in which they were.
func foundOf(looked []*parleyv1.LookedUp) (lines []found) {
	for _, l := range looked {
		hour := timeOf(l, time.Hour)
		if last := len(lines) - 1; last < 0 || lines[last].entry != l.GetEntry() || lines[last].hour != hour {
			lines = append(lines, found{entry: l.GetEntry(), hour: hour})
		}
		fate := int(l.GetFate())
		if fate < 0 || fate >= len(lines[0].fates) {
			fate = 0 // a later server may know more
		}
		lines[len(lines)-1].fates[fate]++
	}
	return lines
}

// shortened sums up what does not fit in the last line.
func shortened(lines []found) []found {
	if len(lines) <= explainLines {
		return lines
	}
	rest := lines[explainLines-1:]
	older := found{entry: rest[0].entry, hour: fmt.Sprintf("%d before that", len(rest))}
	for i := range rest {
		for fate, n := range rest[i].fates {
			older.fates[fate] += n
		}
	}
	return append(lines[:explainLines-1:explainLines-1], older)
}

func entryWord(kind parleyv1.EntryKind) string {
	return strings.ToLower(strings.TrimPrefix(kind.String(), "ENTRY_"))
}

// timeOf tells where the entry stands that led to a conversation, down to a multiple of a duration.
func timeOf(l *parleyv1.LookedUp, down time.Duration) string {
	if l.GetAt() == nil {
		return ""
	}
	return l.GetAt().AsTime().Truncate(down).Format("2006-01-02 15:04")
}

// printable is a name as a terminal may be sent it: cut, and without what would move the cursor.
func printable(name string, most int) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		name = quoted
	}
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most-1]) + "…"
}
