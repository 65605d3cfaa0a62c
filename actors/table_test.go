package actors

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestATableHasEachCellUntilItIsRemoved holds a table against maps, with cells that others take over from while their actors have yet to end.
func TestATableHasEachCellUntilItIsRemoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newTable()
		latest := map[string]*cell{}
		outdone := map[*cell]bool{} // others took over, and their actors have not ended
		name := func() string { return fmt.Sprint("a:", rapid.IntRange(0, 100).Draw(t, "name")) }
		obtain := func(n string, instead *cell) {
			before := latest[n]
			c, first := table.obtain(n, instead, func(from *cell) *cell {
				if from != before || before != instead {
					t.Fatalf("a cell of %s is made to take over from %p, not from %p", n, from, before)
				}
				return &cell{name: n, before: from}
			})
			if first != (len(latest) == 0) {
				t.Fatalf("first: %t, with %d there before", first, len(latest))
			}
			switch {
			case before != nil && before != instead && c != before:
				t.Fatalf("%s has another cell, though nobody found the one it has sealed", n)
			case c != before && before != nil && before.invoker != nil:
				outdone[before] = true
			}
			latest[n] = c
		}
		remove := func(c *cell) {
			c.invoker = nil
			successor := latest[c.name]
			if successor == c {
				successor = nil
				delete(latest, c.name)
			}
			if got := table.remove(c); got != successor {
				t.Fatalf("after %p, %s has %p, want %p", c, c.name, got, successor)
			}
			delete(outdone, c)
		}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			switch n := name(); rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				obtain(n, nil)
			case 1:
				obtain(n, latest[n]) // which was found sealed
			case 2:
				if c := latest[n]; c != nil {
					c.invoker = &invoked{}
				}
			case 3:
				if c := latest[n]; c != nil {
					remove(c)
				}
			case 4:
				for c := range outdone {
					remove(c)
					break
				}
			}
			if table.len() != len(latest) || len(table.all()) != len(latest) || len(table.every()) != len(latest)+len(outdone) {
				t.Fatalf("%d, %d and %d are there, want %d and %d more", table.len(), len(table.all()), len(table.every()), len(latest), len(outdone))
			}
			for _, c := range table.every() {
				if table.cellIn(c.slot) != c || latest[c.name] != c && !outdone[c] {
					t.Fatalf("in the slot %d is %p, want %p of %s", c.slot, table.cellIn(c.slot), c, c.name)
				}
			}
			if c := latest[n0]; table.find(n0) != c {
				t.Fatalf("%s has %p, want %p", n0, table.find(n0), c)
			}
		}
	})
}

const n0 = "a:0"
