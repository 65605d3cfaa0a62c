package actors

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAFifoIsAQueueThatKeepsNothingItGaveAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[*int]
		var model []*int
		next := 0
		item := func() *int {
			next++
			n := next
			return &n
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				i := item()
				q.push(i)
				model = append(model, i)
			},
			"unshift": func(*rapid.T) {
				i := item()
				q.unshift(i)
				model = slices.Insert(model, 0, i)
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				if got := q.pop(); got != model[0] {
					t.Fatalf("pop: got %d, want %d", *got, *model[0])
				}
				model = model[1:]
			},
			"drop": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "items")
				q.drop(n)
				model = model[n:]
			},
			"take": func(t *rapid.T) {
				if got := q.take(); !slices.Equal(got, model) {
					t.Fatalf("take: -want +got:\n%s", cmp.Diff(model, got))
				}
				model = nil
			},
			"": func(t *rapid.T) {
				if q.len() != len(model) {
					t.Fatalf("len: got %d, want %d", q.len(), len(model))
				}
				room := q.items[:cap(q.items)]
				for i, kept := range room {
					if (i < q.head || i >= len(q.items)) && kept != nil {
						t.Fatalf("place %d of %d still holds item %d, which was taken", i, len(room), *kept)
					}
				}
			},
		})
	})
}

func TestAFifoGivesMemoryBackAfterABurst(t *testing.T) {
	var q fifo[int]
	for i := range 10_000 {
		q.push(i)
	}
	for range 10_000 {
		q.pop()
	}
	if got := cap(q.items); got > keptRoom {
		t.Errorf("room after a burst of 10,000: %d, want at most %d", got, keptRoom)
	}
}

func TestAFifoThatIsNeverEmptyStaysAsLargeAsWhatIsInIt(t *testing.T) {
	var q fifo[int]
	for i := range 10 {
		q.push(i)
	}
	for i := range 100_000 {
		q.push(i)
		q.pop()
	}
	if got := cap(q.items); got > 64 {
		t.Errorf("room for 10 items after 100,000 went through: %d", got)
	}
}

// What is parked comes back to the place that it was popped from, and makes no garbage.
func TestAnItemThatIsPutBackCostsNothing(t *testing.T) {
	var q fifo[int]
	for i := range 10 {
		q.push(i)
	}
	if n := testing.AllocsPerRun(100, func() { q.unshift(q.pop()) }); n != 0 {
		t.Errorf("pop and unshift: %v allocations, want none", n)
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(q.take(), want) {
		t.Errorf("the queue is not what it was")
	}
}
