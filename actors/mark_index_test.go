package actors

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAnIndexHasWhatWasAddedAndNotRemoved holds the index against a map, with few fingerprints, so that many stand in each other's way.
func TestAnIndexHasWhatWasAddedAndNotRemoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x markIndex
		model := map[markEntry]bool{}
		for at := range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				e := entryOf(markOf(uint64(rapid.IntRange(0, 40).Draw(t, "mark"))<<32), uint32(at))
				x.add(e)
				model[e] = true
			case 3, 4:
				for e := range model {
					i := x.find(e)
					if i < 0 {
						t.Fatalf("%x is not there", e)
					}
					x.remove(i)
					delete(model, e)
					break
				}
			case 5:
				x.shrink()
			}
			found := 0
			for mark := range uint64(41) {
				for i := x.next(markOf(mark<<32), int(markOf(mark<<32))); i >= 0; i = x.next(markOf(mark<<32), i+1) {
					if e := x.entries[i]; !model[e] || e.mark() != markOf(mark<<32) {
						t.Fatalf("%x is there", e)
					}
					found++
				}
			}
			if found != len(model) || x.n != len(model) {
				t.Fatalf("found %d, counted %d, want %d", found, x.n, len(model))
			}
		}
	})
}
