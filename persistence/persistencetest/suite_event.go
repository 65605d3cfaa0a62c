package persistencetest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

func eventTests() []suiteTest {
	return []suiteTest{
		{"events are numbered densely in the order of commits", func(s *subject) {
			s.acquire(1, 2)
			stale := s.group(1, event("stale"))
			s.acquire(1)
			results := s.commit(
				s.group(1, event("a", "b")),
				s.group(2, event("A")),
				stale,
				s.group(1, requires("absent"), event("skipped")),
				s.group(1, put("x", "no event")),
				s.group(1, event("c")),
			)
			first := results[0].FirstEvent
			s.equal("the next number", results[5].FirstEvent, first+2)
			results = s.commitAll(s.group(1, event("d")), s.group(1, event("e")))
			s.equal("the next commit's numbers", []uint64{results[0].FirstEvent, results[1].FirstEvent}, []uint64{first + 3, first + 4})
			s.reopen()
			s.commitAll(s.group(1, event("f"))) // the epoch is still the latest
			s.acquire(1)
			s.commitAll(s.group(1, event("g")))
			s.equal("events of shard 1", s.events(1, 0), []string{"a", "b", "c", "d", "e", "f", "g"})
			s.equal("from a number on", s.events(1, first+4), []string{"e", "f", "g"})
			s.equal("events of shard 2", s.events(2, 0), []string{"A"})
			for i, row := range s.rows(persistence.EventsRange(1, 0)) {
				shard, number, err := persistence.ParseEventKey([]byte(row.Key))
				if err != nil || shard != 1 || number != first+uint64(i) {
					s.Errorf("event %d has number %d of shard %d, %v; want %d", i, number, shard, err, first+uint64(i))
				}
			}
		}},
		{"committers that race share the numbers without gaps", func(s *subject) {
			const committers, times = 4, 25
			s.acquire(1)
			given := make([]map[uint64]string, committers)
			var racing sync.WaitGroup
			for c := range committers {
				given[c] = make(map[uint64]string)
				racing.Go(func() {
					for i := range times {
						name := fmt.Sprintf("%d-%02d", c, i)
						results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, event(name, name+"+"))}})
						if err != nil || results[0].Err != nil {
							s.Errorf("commit: %v, %v", err, results)
							return
						}
						given[c][results[0].FirstEvent] = name
						given[c][results[0].FirstEvent+1] = name + "+"
					}
				})
			}
			racing.Wait()
			rows := s.rows(persistence.EventsRange(1, 0))
			s.equal("number of events", len(rows), 2*committers*times)
			all := make(map[uint64]string)
			var before uint64
			for i, row := range rows {
				_, number, err := persistence.ParseEventKey([]byte(row.Key))
				if err != nil || (i > 0 && number != before+1) {
					s.Fatalf("event %d comes after %d: %v", number, before, err)
				}
				all[number], before = row.Value, number
			}
			for c := range committers {
				for number, name := range given[c] {
					if all[number] != name {
						s.Errorf("event %d: %q, but its committer was told that it was %q", number, all[number], name)
					}
				}
			}
		}},
		{"each group is told the number of the shard's next event", func(s *subject) {
			s.acquire(1, 2)
			results := s.commit(
				s.group(1, put("x", "no event")),
				s.group(1, event("a", "b")),
				s.group(2, put("y", "no event")),
				s.group(1, put("x", "no event")),
				s.group(1, requires("absent"), event("skipped")),
			)
			first := results[1].FirstEvent
			next := make([]uint64, len(results))
			for i := range results {
				next[i] = results[i].NextEvent
			}
			s.equal("next", next, []uint64{first, first + 2, results[2].NextEvent, first + 2, 0})
			if results[2].NextEvent == 0 {
				s.Error("in a shard without events the next number is 0")
			}
			s.equal("in a later commit", s.commitAll(s.group(1, put("x", "again")))[0].NextEvent, first+2)
		}},
		{"a repeated group gets new numbers, and the old events stay", func(s *subject) {
			s.acquire(1)
			g := s.group(1, event("a"))
			first, second := s.commitAll(g)[0].FirstEvent, s.commitAll(g)[0].FirstEvent
			if second != first+1 || !cmp.Equal(s.events(1, 0), []string{"a", "a"}) {
				s.Errorf("numbers %d and %d, events %q; want two of them, one after the other", first, second, s.events(1, 0))
			}
		}},
	}
}

func (s *subject) events(shard persistence.Shard, from uint64) []string {
	s.Helper()
	var values []string
	for _, row := range s.rows(persistence.EventsRange(shard, from)) {
		values = append(values, row.Value)
	}
	return values
}
