package persistencetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/parley-im/parley/persistence"
)

func lifeTests() []suiteTest {
	return []suiteTest{
		{"everything is there when the store is opened again", func(s *subject) {
			s.acquire(1, 2)
			s.commitAll(s.group(1, put("a", "1"), event("e")), s.group(2, put("b", "2"), put("c", "3")))
			s.commitAll(s.group(2, remove("c")))
			rows, meta := s.all(), s.store.Meta()
			for range 2 {
				s.reopen()
				s.equal("rows", s.all(), rows)
				s.equal("meta", s.store.Meta(), meta)
			}
		}},
		{"Meta says what the store is", func(s *subject) {
			meta := s.store.Meta()
			if meta.Incarnation == "" || meta.Shards != persistence.Shards || meta.Clock != 0 {
				s.Errorf("a new store's meta: %+v", meta)
			}
		}},
		{"the clock keeps the highest that was committed", func(s *subject) {
			s.acquire(1)
			for _, step := range []struct{ commit, want persistence.Instant }{{100, 100}, {50, 100}, {0, 100}, {101, 101}, {persistence.Never - 1, persistence.Never - 1}} {
				batch := persistence.Batch{Clock: step.commit, Groups: []persistence.Group{s.group(1, put("a", fmt.Sprint(step.commit)))}}
				if _, err := s.store.Commit(s.Context(), batch); err != nil {
					s.Fatal(err)
				}
				s.equal("clock", s.store.Meta().Clock, step.want)
				s.reopen()
				s.equal("clock after opening again", s.store.Meta().Clock, step.want)
			}
		}},
		{"the clock moves by a batch without groups", func(s *subject) {
			if _, err := s.store.Commit(s.Context(), persistence.Batch{Clock: 9}); err != nil {
				s.Fatal(err)
			}
			s.reopen()
			s.equal("clock", s.store.Meta().Clock, persistence.Instant(9))
		}},
		{"a closed store answers ErrClosed", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "1")))
			open := s.snapshot()
			s.close()
			s.close()
			_, commit := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, put("b", "1"))}})
			_, acquire := s.store.Acquire(s.Context(), 1)
			_, snapshot := s.store.Snapshot()
			_, get := open.Get(s.Context(), free("a"))
			_, scan := collect(s.Context(), open, persistence.PrefixRange([]byte("x")))
			for what, err := range map[string]error{"commit": commit, "acquire": acquire, "snapshot": snapshot, "get": get, "scan": scan} {
				if !errors.Is(err, persistence.ErrClosed) {
					s.Errorf("%s: %v, want ErrClosed", what, err)
				}
			}
			open.Close()
			s.open()
			s.commitAll(s.group(1, put("c", "1"))) // the epoch is still the latest
			s.equal("rows", s.all(), []entry{{"xa", "1"}, {"xc", "1"}})
		}},
		{"Close under load loses nothing acknowledged and leaves no half", closeUnderLoad},
	}
}

func closeUnderLoad(s *subject) {
	const rounds, committers, readers = 5, 4, 2
	s.acquire(1)
	for round := range rounds {
		acked := make([]int, committers) // how many of its commits each was told are written
		warm := make(chan struct{}, committers)
		var load sync.WaitGroup
		for c := range committers {
			load.Go(func() {
				for i := 0; ; i++ {
					key := fmt.Sprintf("%d-%d-%05d", round, c, i)
					results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, put(key+"-a", ""), put(key+"-b", ""))}})
					if errors.Is(err, persistence.ErrClosed) {
						return
					}
					if err != nil || results[0].Err != nil {
						s.Errorf("commit: %v, %v", err, results)
					} else {
						acked[c]++
					}
					if i == 2 {
						warm <- struct{}{}
					}
				}
			})
		}
		for range readers {
			load.Go(func() {
				for {
					snapshot, err := s.store.Snapshot()
					if err == nil {
						_, err = collect(s.Context(), snapshot, persistence.PrefixRange([]byte("x")))
						snapshot.Close()
					}
					if errors.Is(err, persistence.ErrClosed) {
						return
					}
					if err != nil {
						s.Errorf("read: %v", err)
					}
				}
			})
		}
		for range committers {
			<-warm
		}
		s.close()
		load.Wait()
		s.open()
		halves := make(map[string]string)
		for _, row := range s.rows(persistence.PrefixRange(fmt.Appendf(nil, "x%d-", round))) {
			halves[strings.TrimSuffix(strings.TrimSuffix(row.Key, "-a"), "-b")] += row.Key[len(row.Key)-1:]
		}
		for key, half := range halves {
			if half != "ab" {
				s.Errorf("half a group: %s-%s", key, half)
			}
		}
		for c := range committers {
			for i := range acked[c] {
				if key := fmt.Sprintf("x%d-%d-%05d", round, c, i); halves[key] == "" {
					s.Errorf("%s was acknowledged and is gone", key)
				}
			}
		}
	}
}
