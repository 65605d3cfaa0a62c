package persistencetest

import (
	"fmt"
	"math"
	"sync"

	"github.com/parley-im/parley/persistence"
)

func guardTests() []suiteTest {
	return []suiteTest{
		{"IfPresent changes only a row that exists", func(s *subject) {
			s.acquire(1)
			s.commitAll(
				s.group(1, putIfPresent("absent", "1")),
				s.group(1, put("earlier", "1")),
				s.group(1, putIfPresent("earlier", "2"), put("own", "1"), putIfPresent("own", "2"), remove("gone"), putIfPresent("gone", "1")),
			)
			s.equal("rows", s.all(), []entry{{"xearlier", "2"}, {"xown", "2"}})
		}},
		{"a group does nothing without the row that it requires", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("victim", "1")))
			results := s.commitAll(
				s.group(1, requires("absent"), put("a", "1"), remove("victim"), event("e")),
				s.group(1, requires("victim"), put("b", "1"), remove("victim")),
				s.group(1, requires("victim"), put("c", "1")), // the group before removed it
				s.group(1, requires("b"), put("d", "1")),      // the group before wrote it
			)
			next := results[1].NextEvent
			s.equal("results", results, []persistence.Result{{Skipped: true}, {Deleted: 1, NextEvent: next}, {Skipped: true}, {NextEvent: next}})
			s.equal("rows", s.all(), []entry{{"xb", "1"}, {"xd", "1"}})
		}},
		{"an unguarded delete removes what there is, and counts it", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "not a row of any kind"), putGeneration("b", math.MaxUint64)))
			results := s.commitAll(s.group(1, remove("a"), remove("b"), remove("c"), remove("a")))
			s.equal("deleted", results[0].Deleted, 2)
			s.equal("rows", len(s.all()), 0)
		}},
		{"a blind delete removes what there is, and does not count it", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "1"), put("b", "1"), putGeneration("new", 3)))
			blind := func(c change) change {
				return func(g *persistence.Group) {
					c(g)
					g.Deletes[len(g.Deletes)-1].Blind = true
				}
			}
			results := s.commitAll(
				s.group(1, blind(remove("a")), blind(remove("none")), put("own", "1"), blind(remove("own")), remove("b"), remove("a")),
				s.group(1, putIfPresent("a", "2"), putIfPresent("none", "2"), putIfPresent("own", "2")),
				s.group(1, blind(removeUpTo("new", 2, nil)), blind(removeUpTo("none", 0, []byte("1")))), // these have to look
			)
			s.equal("deleted", results[0].Deleted, 1)
			s.equal("deleted by what has to look", results[2].Deleted, 0)
			s.equal("rows", s.all(), []entry{{"xnew", string(persistence.Member{Generation: 3}.Encode())}})
		}},
		{"a guarded delete removes generations up to its own, and no later one", func(s *subject) {
			const g = 5
			s.acquire(1)
			var rows, deletes []change
			for _, generation := range []persistence.Generation{1, g - 1, g, g + 1, 256, math.MaxUint64} {
				key := fmt.Sprintf("%020d", generation)
				rows, deletes = append(rows, putGeneration(key, generation)), append(deletes, removeUpTo(key, g, nil))
			}
			s.commitAll(s.group(1, rows...))
			results := s.commitAll(s.group(1, deletes...))
			s.equal("deleted", results[0].Deleted, 3)
			s.wantNone(fmt.Sprintf("%020d", 1), fmt.Sprintf("%020d", g-1), fmt.Sprintf("%020d", g))
			s.equal("rows left", len(s.all()), 3)
			results = s.commitAll(s.group(1, removeUpTo(fmt.Sprintf("%020d", uint64(math.MaxUint64)), math.MaxUint64, nil)))
			s.equal("deleted", results[0].Deleted, 1)
		}},
		{"every kind of row with a generation can be guarded", func(s *subject) {
			const g = 7
			values := map[string][]byte{
				"head":       (&persistence.Head{Generation: g, LastSeq: 300}).Encode(),
				"tombstone":  persistence.Tombstone{Generation: g, LastSeq: 300}.Encode(),
				"tail":       (&persistence.Tail{Generation: g, Last: 300}).Encode(),
				"member":     persistence.Member{Generation: g}.Encode(),
				"membership": (&persistence.Membership{Generation: g, ReadSeq: 300}).Encode(),
				"event":      (&persistence.Event{Generation: g, Conversation: "a:b"}).Encode(),
				"removal":    persistence.Removal{Generation: g}.Encode(),
			}
			s.acquire(1)
			for key, value := range values {
				s.commitAll(s.group(1, putValue(key, value)))
				results := s.commitAll(s.group(1, removeUpTo(key, g-1, nil)), s.group(1, removeUpTo(key, g, nil)))
				if results[0].Deleted != 0 || results[1].Deleted != 1 {
					s.Errorf("%s: up to %d removed %d, up to %d removed %d; want 0 and 1", key, g-1, results[0].Deleted, g, results[1].Deleted)
				}
			}
		}},
		{"a guard is the same where somebody has seen its row, whatever became of that since", func(s *subject) {
			s.acquire(1)
			const g = 5
			names := []string{"kept", "later", "gone", "unseen"}
			for _, name := range names {
				s.commitAll(s.group(1, putGeneration(name, g)))
			}
			number := s.number()
			s.commitAll(s.group(1, putGeneration("later", g+1), remove("gone"), putGeneration("new", g)))
			var seen []persistence.Group
			for _, name := range names {
				group := s.group(1, requires(name), removeUpTo(name, g, nil))
				if name != "unseen" {
					group.Seen = persistence.Sight{Snapshot: number}
					group.Deletes[0].Seen = persistence.Sight{Snapshot: number, Generation: g}
				}
				seen = append(seen, group)
			}
			for i, result := range s.commitAll(seen...) {
				name := names[i]
				if deleted := name == "kept" || name == "unseen"; (result.Deleted == 1) != deleted || result.Skipped != (name == "gone") {
					s.Errorf("%s: %+v", name, result)
				}
			}
			s.wantNone("kept", "gone", "unseen")
			s.equal("rows left", len(s.all()), 2)
		}},
		{"a replacement is written only in the place of a removed row", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, putGeneration("old", 1), putGeneration("new", 3), put("any", "1")))
			tombstone := persistence.Tombstone{Generation: 2}.Encode()
			results := s.commitAll(s.group(1,
				removeUpTo("old", 2, tombstone), removeUpTo("new", 2, tombstone), removeUpTo("absent", 2, tombstone),
				removeUpTo("any", 0, []byte("2")), removeUpTo("none", 0, []byte("2")),
			))
			s.equal("deleted", results[0].Deleted, 2)
			s.equal("rows", s.all(), []entry{
				{"xany", "2"}, {"xnew", string(persistence.Member{Generation: 3}.Encode())}, {"xold", string(tombstone)},
			})
		}},
		{"guards see their own group's puts and all earlier groups", func(s *subject) {
			s.acquire(1, 2)
			s.commitAll(s.group(1, putGeneration("a", 1), putGeneration("b", 1)))
			results := s.commitAll(
				s.group(1, putGeneration("a", 2), removeUpTo("a", 1, nil)), // newer by its own put
				s.group(2, putGeneration("b", 2), putGeneration("c", 1)),
				s.group(1, removeUpTo("b", 1, nil), removeUpTo("c", 1, nil)),
				s.group(1, removeUpTo("c", 1, nil)),
				s.group(1, putGeneration("d", 1), removeUpTo("d", 1, nil)),
				s.group(1, putGeneration("a", 3), removeUpTo("a", 3, persistence.Member{Generation: 4}.Encode()), removeUpTo("a", 3, nil)),
			)
			var deleted []int
			for _, result := range results {
				deleted = append(deleted, result.Deleted)
			}
			s.equal("deleted", deleted, []int{0, 0, 1, 0, 1, 1})
			s.equal("rows", s.all(), []entry{
				{"xa", string(persistence.Member{Generation: 4}.Encode())}, {"xb", string(persistence.Member{Generation: 2}.Encode())},
			})
		}},
		{"an acknowledged row of a newer generation survives any racing delete", raceDeletes},
	}
}

// raceDeletes has a writer replace rows by newer generations while deleters remove the older ones. A store that reads a guard and
// writes its delete with another commit in between loses acknowledged rows here.
func raceDeletes(s *subject) {
	const rounds, keys, deleters = 120, 8, 3
	s.acquire(1)
	row := func(key int) string { return fmt.Sprintf("%02d", key) }
	var last [keys]persistence.Generation // acknowledged
	for round := range persistence.Generation(rounds) {
		old := 2*round + 1
		var begin []change
		for key := range keys {
			begin = append(begin, putGeneration(row(key), old))
		}
		s.commitAll(s.group(1, begin...))
		var racing sync.WaitGroup
		start := make(chan struct{})
		for range deleters {
			racing.Go(func() {
				<-start
				var deletes []change
				for key := range keys {
					deletes = append(deletes, removeUpTo(row(key), old, nil))
				}
				if _, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, deletes...)}}); err != nil {
					s.Errorf("delete: %v", err)
				}
			})
		}
		for key := range keys {
			racing.Go(func() {
				<-start
				results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, putGeneration(row(key), old+1))}})
				if err != nil || results[0].Err != nil {
					s.Errorf("put: %v, %v", err, results)
					return
				}
				last[key] = old + 1
			})
		}
		close(start)
		racing.Wait()
		for key := range keys {
			s.want(row(key), string(persistence.Member{Generation: last[key]}.Encode()))
		}
		if s.Failed() {
			return
		}
	}
}
