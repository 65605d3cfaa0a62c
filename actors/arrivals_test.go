package actors

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Names that share a slot are told apart, whatever the bound is, and however often it was asked before.
func TestArrivalsAreCountedByConversation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		var tasks fifo[task]
		want := map[string]int{}
		draw := func() *intake {
			name := rapid.IntRange(0, 5).Draw(t, "conversation")
			return &intake{proposal: &Proposal{Conversation: fmt.Sprint("group:", name)}, slot: uint16(name % 2)}
		}
		t.Repeat(map[string]func(*rapid.T){
			"come": func(*rapid.T) {
				m := draw()
				a.count(m, 1)
				tasks.push(m)
				want[m.proposal.Conversation]++
			},
			"another task": func(*rapid.T) { tasks.push(&cell{}) },
			"go": func(*rapid.T) {
				if tasks.len() == 0 {
					return
				}
				if m, ok := tasks.pop().(*intake); ok {
					a.count(m, -1)
					want[m.proposal.Conversation]--
				}
			},
			"ask": func(t *rapid.T) {
				m, bound := draw(), rapid.IntRange(-1, 6).Draw(t, "bound")
				if got := a.atLeast(bound, m, &tasks); got != (want[m.proposal.Conversation] >= bound) {
					t.Fatalf("at least %d of %s: got %t, there are %d", bound, m.proposal.Conversation, got, want[m.proposal.Conversation])
				}
			},
			"": func(t *rapid.T) {
				slotted, all := 0, 0
				for _, n := range a.slots {
					slotted += int(n)
				}
				for _, n := range want {
					all += n
				}
				switch {
				case a.all != all:
					t.Fatalf("%d are counted, there are %d", a.all, all)
				case all == 0 && (a.slotted || len(a.crowded) > 0):
					t.Fatalf("nothing is there, and slots are counted, %d of them as crowded", len(a.crowded))
				case a.slotted && slotted != all, !a.slotted && slotted != 0:
					t.Fatalf("of %d, %d are counted in slots", all, slotted)
				}
			},
		})
	})
}
