package persistencetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

func fenceTests() []suiteTest {
	return []suiteTest{
		{"each Acquire draws a higher epoch, also after the store was opened again", func(s *subject) {
			s.acquire(7)
			for range 3 {
				before := s.epochs[7]
				s.acquire(9, 7)
				if s.epochs[7] <= before {
					s.Errorf("epoch %d after %d", s.epochs[7], before)
				}
				before = s.epochs[7]
				s.reopen()
				s.acquire(7)
				if s.epochs[7] <= before {
					s.Errorf("reopened: epoch %d after %d", s.epochs[7], before)
				}
			}
		}},
		{"a stale epoch's group leaves nothing while the others land", func(s *subject) {
			s.acquire(1, 2)
			stale := s.group(1)
			s.acquire(1)
			s.commitAll(s.group(1, put("kept", "1"), putGeneration("old", 1)))
			put("kept", "2")(&stale)
			put("b", "1")(&stale)
			removeUpTo("old", 1, nil)(&stale)
			event("never")(&stale)
			results := s.commit(s.group(2, put("a", "1")), stale, s.group(1, put("c", "1"), event("one")))
			if !errors.Is(results[1].Err, persistence.ErrFenced) {
				s.Errorf("the stale group: %v, want ErrFenced", results[1].Err)
			}
			if results[0].Err != nil || results[2].Err != nil {
				s.Errorf("the others: %v, %v", results[0].Err, results[2].Err)
			}
			s.want("kept", "1")
			s.want("a", "1")
			s.want("c", "1")
			s.want("old", string(persistence.Member{Generation: 1}.Encode()))
			s.wantNone("b")
			s.equal("events", len(s.rows(persistence.EventsRange(1, 0))), 1)
		}},
		{"only the latest epoch of the shard itself is good", func(s *subject) {
			s.acquire(1, 1, 1)
			latest := s.epochs[1]
			for _, g := range []persistence.Group{
				{Shard: 1, Epoch: 0}, {Shard: 1, Epoch: latest - 1}, {Shard: 1, Epoch: latest + 1}, // of this shard
				{Shard: 2, Epoch: 0}, {Shard: 2, Epoch: latest}, // never acquired
				{Shard: persistence.Shards, Epoch: latest}, // does not exist
			} {
				put("a", "1")(&g)
				if results := s.commit(g); !errors.Is(results[0].Err, persistence.ErrFenced) {
					s.Errorf("shard %d under epoch %d: %v, want ErrFenced", g.Shard, g.Epoch, results[0].Err)
				}
			}
			s.wantNone("a")
		}},
		{"a shard that does not exist cannot be acquired", func(s *subject) {
			s.acquire(1)
			if epochs, err := s.store.Acquire(s.Context(), 1, persistence.Shards); err == nil {
				s.Errorf("epochs %d and no error", epochs)
			}
			s.commitAll(s.group(1, put("a", "1"))) // the epoch is still the latest
		}},
		{"all shards can be acquired at once", func(s *subject) {
			shards := make([]persistence.Shard, persistence.Shards)
			for i := range shards {
				shards[i] = persistence.Shard(i)
			}
			s.acquire(shards...)
			groups := make([]persistence.Group, len(shards))
			for i, shard := range shards {
				groups[i] = s.group(shard, put(fmt.Sprintf("%03d", i), ""))
			}
			s.commitAll(groups...)
			s.equal("rows", len(s.all()), len(shards))
		}},
		{"no epoch is handed out twice", func(s *subject) {
			const callers, times = 4, 10
			var mu sync.Mutex
			var drawn []persistence.Epoch
			var calls sync.WaitGroup
			for range callers {
				calls.Go(func() {
					for range times {
						epochs, err := s.store.Acquire(s.Context(), 5)
						if err != nil {
							s.Errorf("acquire: %v", err)
							return
						}
						mu.Lock()
						drawn = append(drawn, epochs...)
						mu.Unlock()
					}
				})
			}
			calls.Wait()
			slices.Sort(drawn)
			s.equal("different epochs", len(slices.Compact(drawn)), callers*times)
		}},
		{"nothing is written under an old epoch once Acquire returned", func(s *subject) {
			s.acquire(1)
			old := s.group(1)
			committing := make(chan struct{})
			var acquired atomic.Bool
			var racing sync.WaitGroup
			racing.Go(func() {
				for i := 0; ; i++ {
					late := acquired.Load()
					g := old
					put("n", fmt.Sprint(i))(&g)
					results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{g}})
					switch {
					case err != nil:
						s.Errorf("commit: %v", err)
					case results[0].Err == nil && late:
						s.Error("a commit that began after Acquire had returned was written under the old epoch")
					case results[0].Err != nil && !errors.Is(results[0].Err, persistence.ErrFenced):
						s.Errorf("commit: %v, want ErrFenced", results[0].Err)
					}
					if i == 10 {
						close(committing)
					}
					if i >= 10 && (late || err != nil) {
						return
					}
				}
			})
			<-committing
			s.acquire(1)
			before := s.all()
			acquired.Store(true)
			racing.Wait()
			s.equal("rows", s.all(), before)
		}},
	}
}
