package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

const (
	previewLines = 16 // of the table: what stands for later hours is one line
	previewName  = 28 // characters of a namespace, and
	previewLong  = 46 // of a conversation's name: a line fits 80
)

// previewTable is what the command prints.
func previewTable(p *parleyv1.PreviewExpiryResponse, until time.Time) string {
	const minute = "2006-01-02 15:04"
	var b strings.Builder
	fmt.Fprintf(&b, "over by %s UTC: %d conversations of %d members\n", until.UTC().Format(minute), p.GetConversations(), p.GetMembers())
	if n := p.GetOverdue(); n > 0 {
		fmt.Fprintf(&b, "%d of them are over now, and have yet to be deleted\n", n)
	}
	if n := p.GetIfRead(); n > 0 {
		fmt.Fprintf(&b, "%d more are, once nobody has anything unread\n", n)
	}
	if hours := p.GetHours(); len(hours) > 0 {
		fmt.Fprintf(&b, "\n%-16s  %-*s %14s %14s\n", "hour (UTC)", previewName, "namespace", "conversations", "members")
		for _, h := range laterInOne(hours, p.GetLeftOut()) {
			hour := "later"
			if h.GetHour() != nil {
				hour = h.GetHour().AsTime().Format(minute)
			}
			fmt.Fprintf(&b, "%-16s  %-*s %14d %14d\n", hour, previewName, printable(h.GetNamespace(), previewName), h.GetConversations(), h.GetMembers())
		}
	}
	if first := p.GetFirst(); len(first) > 0 {
		fmt.Fprintf(&b, "\n%-19s %9s  %s\n", "over at (UTC)", "members", "conversation")
		for _, c := range first {
			fmt.Fprintf(&b, "%-19s %9d  %s\n", c.GetDeadline().AsTime().Format(time.DateTime), c.GetMembers(), printable(c.GetConversation(), previewLong))
		}
	}
	return b.String()
}

// laterInOne sums up what does not fit, and what was left out, in the last line, which has no hour.
func laterInOne(hours []*parleyv1.PreviewHour, leftOut uint64) []*parleyv1.PreviewHour {
	if len(hours) <= previewLines && leftOut == 0 {
		return hours
	}
	shown := hours[:min(len(hours), previewLines-1)]
	later := &parleyv1.PreviewHour{Conversations: leftOut}
	for _, h := range hours[len(shown):] {
		later.Conversations += h.GetConversations()
		later.Members += h.GetMembers()
	}
	return append(slices.Clip(shown), later)
}
