package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// hot is how many conversations are in daily use.
const hot = 300

// crowd is residents whose actors are not there: who is asked to leave does so at once.
type crowd struct {
	residents

	bound int
}

func newCrowd(bound int) *crowd { return &crowd{bound: bound, residents: residents{cells: newTable()}} }

// activate has a conversation become active.
func (r *residents) activate(name string) *cell {
	c, _ := r.cells.obtain(name, nil, func(*cell) *cell { return &cell{name: name, phase: active} })
	r.enter(c)
	return c
}

// end has one end that is active.
func (r *residents) end(c *cell) {
	r.exit(c)
	r.cells.remove(c)
}

// use has a conversation used once more, which becomes active for that where it is not.
func (c *crowd) use(name string) {
	resident := c.cells.find(name)
	if resident == nil {
		resident = c.activate(name)
		for gone := c.next(c.bound); gone != nil; gone = c.next(c.bound) {
			c.end(gone)
		}
	}
	resident.use()
}

// have returns how many conversations of a hot set are active.
func (c *crowd) have(prefix string) (active int) {
	for i := range hot {
		if c.cells.find(fmt.Sprint(prefix, i)) != nil {
			active++
		}
	}
	return active
}

func TestAScanOverTenTimesTheBoundLeavesTheHotSetWhereItIs(t *testing.T) {
	const bound = 400
	random := rand.New(rand.NewPCG(1, 2))
	c := newCrowd(bound)
	for range 20 * hot {
		c.use(fmt.Sprint("hot:", random.IntN(hot)))
	}
	least := c.have("hot:")
	if least < hot*9/10 {
		t.Fatalf("%d of %d are active before the scan", least, hot)
	}
	for i := range 10 * bound {
		c.use(fmt.Sprint("scan:", i))
		if i%4 == 0 {
			c.use(fmt.Sprint("hot:", random.IntN(hot)))
		}
		least = min(least, c.have("hot:"))
	}
	if least < hot*9/10 {
		t.Errorf("%d of %d hot conversations were active at the worst moment of the scan, want nine of ten", least, hot)
	}
	// A scan beside which nothing else is used.
	for i := range 10 * bound {
		c.use(fmt.Sprint("quiet:", i))
	}
	if n := c.have("hot:"); n < hot*9/10 {
		t.Errorf("%d of %d are active after a scan beside which they were not used", n, hot)
	}
}

func TestAHotSetThatChangesIsFollowed(t *testing.T) {
	const bound = 400
	random := rand.New(rand.NewPCG(1, 2))
	c := newCrowd(bound)
	for _, set := range []string{"first:", "second:", "third:"} {
		for range 30 * hot {
			c.use(fmt.Sprint(set, random.IntN(hot)))
		}
		if n := c.have(set); n < hot*9/10 {
			t.Errorf("%d of %d conversations of the %s set are active", n, hot, set)
		}
	}
}

func TestWhoComesBackSoonStays(t *testing.T) {
	const bound = 100
	c := newCrowd(bound)
	for i := range 3 * bound / 2 {
		c.use(fmt.Sprint("once:", i))
	}
	c.use("once:0") // is remembered
	for i := range 10 * bound {
		c.use(fmt.Sprint("scan:", i))
	}
	if c.cells.find("once:0") == nil {
		t.Error("who was used again soon after it left has left again, for others that were used once")
	}
	if n := len(c.ghosts.ring); n != bound {
		t.Errorf("%d fingerprints are kept, want as many as the bound: %d", n, bound)
	}
	if n := len(c.ghosts.turns); n > bound {
		t.Errorf("%d ghosts, want %d at most", n, bound)
	}
}

func TestWhoWasUsedSinceTheirLastTurnInTheMainQueueGetsAnother(t *testing.T) {
	c := newCrowd(20)
	for i := range 20 {
		for range provenUses + 1 {
			c.use(fmt.Sprint("a:", i))
		}
	}
	c.bound = 1
	for range 2 { // the first round has all prove themselves
		if gone := c.next(19); gone != nil {
			c.end(gone)
		}
	}
	oldest := c.cells.cellIn(c.queues[main].oldest)
	if oldest == nil {
		t.Fatal("nobody is in the main queue: the test shows nothing")
	}
	oldest.use()
	oldest.use()
	if gone := c.next(c.len() - 1); gone == oldest || gone == nil {
		t.Errorf("%v leaves, though others were not used for longer", gone)
	}
}

func TestOneThatDoesNotLeaveIsTakenBack(t *testing.T) {
	c := newCrowd(1)
	one := c.activate("a:1")
	c.activate("a:2")
	gone := c.next(1)
	if gone != one {
		t.Fatalf("%v leaves, want the first", gone)
	}
	one.leaving = true
	c.recall(1)
	if c.len() != 1 {
		t.Error("one that is about to leave was taken back")
	}
	one.leaving = false // it had work to do
	c.recall(1)
	if c.len() != 2 || c.queues[leaving].n != 0 {
		t.Errorf("%d are there and %d are leaving, want two and none", c.len(), c.queues[leaving].n)
	}
	if gone := c.next(1); gone == nil || c.len() != 1 {
		t.Error("nobody else leaves")
	}
}

// TestTheQueuesHoldEachResidentOnce holds them against a plain set, whatever comes in, leaves, does not leave, and ends by itself.
func TestTheQueuesHoldEachResidentOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := residents{cells: newTable()}
		there := map[string]*cell{}
		asked := map[string]bool{}
		name := func() string { return fmt.Sprint("a:", rapid.IntRange(0, 20).Draw(t, "name")) }
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				n := name()
				if there[n] == nil {
					there[n] = r.activate(n)
				} else {
					there[n].use()
				}
			case 2:
				bound := rapid.IntRange(1, 10).Draw(t, "bound")
				if c := r.next(bound); c != nil {
					if asked[c.name] || len(there)-len(asked) <= bound {
						t.Fatalf("%s is to leave, of %d of whom %d were asked, under a bound of %d", c.name, len(there), len(asked), bound)
					}
					c.leaving, asked[c.name] = true, true
				} else if len(there)-len(asked) > bound {
					t.Fatalf("nobody leaves, of %d of whom %d were asked, under a bound of %d", len(there), len(asked), bound)
				}
			case 3:
				if n := name(); asked[n] {
					there[n].leaving = false
					r.recall(len(there))
					delete(asked, n)
				}
			case 4:
				if n := name(); there[n] != nil {
					r.end(there[n])
					delete(there, n)
					delete(asked, n)
				}
			case 5:
				if n := name(); there[n] != nil {
					r.leave(there[n])
					there[n].leaving, asked[n] = true, true
				}
			}
			var listed, asLeaving []string
			for which, q := range r.queues {
				n := 0
				for at := q.oldest; at != 0; at = r.seats[at].newer {
					name := r.cells.cellIn(at).name
					listed = append(listed, name)
					if queueOf(which) == leaving {
						asLeaving = append(asLeaving, name)
					}
					if s := r.seats[at]; s.in != queueOf(which) || (s.newer == 0) != (q.newest == at) {
						t.Fatalf("%s is not linked as it should be", name)
					}
					n++
				}
				if n != q.n {
					t.Fatalf("a queue of %d says that it has %d", n, q.n)
				}
			}
			if len(listed) != len(there) || len(asLeaving) != len(asked) {
				t.Fatalf("%d are in the queues, %d there; %d leaving, %d asked", len(listed), len(there), len(asLeaving), len(asked))
			}
			slices.Sort(listed)
			for i, n := range listed {
				if there[n] == nil || i > 0 && listed[i-1] == n {
					t.Fatalf("the queues have %v", listed)
				}
			}
		}
	})
}
