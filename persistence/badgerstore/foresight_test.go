package badgerstore

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/persistence"
)

// foreseenWorld is a store, and what is in it, of a few rows that are written and deleted all the time.
type foreseenWorld struct {
	*subject

	random *rand.Rand
	rows   map[string]persistence.Generation
}

const foreseenKeys = 12

func (w *foreseenWorld) key() []byte { return foreseenKey(w.random.IntN(foreseenKeys)) }

func foreseenKey(i int) []byte {
	if i%2 == 0 {
		return persistence.MembershipKey(fmt.Sprint(i), "group:1") // which the row cache keeps
	}
	return persistence.EntryKey(fmt.Sprint(i), persistence.EntryPinned, 0, "group:1")
}

// draw makes groups that put and delete; their deletes are guarded. Whoever makes a batch may have read in some snapshot what it is about.
func (w *foreseenWorld) draw() persistence.Batch {
	var b persistence.Batch
	snapshot, err := w.Snapshot()
	if err != nil {
		w.Fatal(err)
	}
	defer snapshot.Close()
	sight := func(key []byte) (s persistence.Sight) {
		if value, err := snapshot.Get(w.Context(), key); err == nil && w.random.IntN(3) == 0 {
			s.Snapshot = snapshot.Number()
			s.Generation, _ = persistence.GenerationOf(value)
		}
		return s
	}
	for range 1 + w.random.IntN(3) {
		g := persistence.Group{Shard: 1, Epoch: w.epoch}
		if w.random.IntN(2) == 0 {
			g.Requires = w.key()
			g.Seen = sight(g.Requires)
		}
		for range w.random.IntN(3) {
			value := persistence.Removal{Generation: persistence.Generation(1 + w.random.IntN(4))}.Encode()
			g.Puts = append(g.Puts, persistence.Put{Key: w.key(), Value: value})
		}
		for range w.random.IntN(4) {
			del := persistence.Delete{Key: w.key(), UpTo: persistence.Generation(w.random.IntN(5))}
			del.Seen = sight(del.Key)
			g.Deletes = append(g.Deletes, del)
		}
		b.Groups = append(b.Groups, g)
	}
	return b
}

// want carries the batch out on the model.
func (w *foreseenWorld) want(b persistence.Batch) (results []persistence.Result) {
	for _, g := range b.Groups {
		var r persistence.Result
		if _, ok := w.rows[string(g.Requires)]; g.Requires != nil && !ok {
			results = append(results, persistence.Result{Skipped: true})
			continue
		}
		for _, put := range g.Puts {
			generation, err := persistence.GenerationOf(put.Value)
			if err != nil {
				w.Fatal(err)
			}
			w.rows[string(put.Key)] = generation
		}
		for _, del := range g.Deletes {
			if generation, ok := w.rows[string(del.Key)]; ok && (del.UpTo == 0 || generation <= del.UpTo) {
				delete(w.rows, string(del.Key))
				r.Deleted++
			}
		}
		results = append(results, r)
	}
	return results
}

// Batches look ahead, others are carried out meanwhile, in another order, and then they have their turn.
func TestWhatWasForeseenIsWhatIsFoundHoweverMuchWasWrittenSince(t *testing.T) {
	for _, cache := range []int{-1, 0} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("cache %d, seed %d", cache, seed), func(t *testing.T) {
				w := &foreseenWorld{
					subject: open(t, t.TempDir(), Options{NoSync: true, RowCacheBytes: cache}),
					random:  rand.New(rand.NewPCG(seed, 7)),
					rows:    map[string]persistence.Generation{},
				}
				var early []*request
				foreseen := 0
				for range 300 {
					batch := w.draw()
					r := &request{batch: &batch, foresight: w.foresee(t.Context(), &batch), done: make(chan struct{})}
					if r.foresight != nil {
						foreseen++
					}
					if early = append(early, r); w.random.IntN(3) > 0 {
						continue
					}
					if w.random.IntN(4) == 0 {
						w.forgetKeys()
					}
					w.random.Shuffle(len(early), func(i, j int) { early[i], early[j] = early[j], early[i] })
					for _, r := range early {
						want := w.want(*r.batch)
						if err := w.do(t.Context(), r); err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(want, r.results, cmpopts.IgnoreFields(persistence.Result{}, "NextEvent")); diff != "" {
							t.Fatalf("batch %+v (-want +got):\n%s", r.batch, diff)
						}
					}
					early = nil
				}
				if foreseen < 100 {
					t.Fatalf("%d batches were foreseen: the test shows nothing", foreseen)
				}
			})
		}
	}
}

// forgetKeys does what happens once many keys were written: the slots of all are taken. The committer is at rest.
func (w *foreseenWorld) forgetKeys() {
	for i := range foreseenKeys {
		w.committer.recent.note(foreseenKey(i), w.committer.snapshots.current.Load().number)
	}
}

func TestACommitThatHasForeseenEverythingReadsNothingMore(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	put := persistence.Group{Shard: 1, Epoch: s.epoch}
	remove := persistence.Group{Shard: 1, Epoch: s.epoch}
	for i := range 10 {
		key := persistence.MembershipKey(fmt.Sprint(i), "group:1")
		put.Puts = append(put.Puts, persistence.Put{Key: key, Value: persistence.Removal{Generation: 3}.Encode()})
		remove.Deletes = append(remove.Deletes, persistence.Delete{Key: key, UpTo: 3})
		remove.Requires = key
	}
	s.commit(persistence.Batch{Groups: []persistence.Group{put}})
	batch := persistence.Batch{Groups: []persistence.Group{remove}}
	f := s.foresee(t.Context(), &batch)
	view := f.group(0)
	for i := range remove.Deletes {
		v := view.ofDelete(i)
		if v.sight != present || v.generation != 3 || !s.committer.recent.unchanged(remove.Deletes[i].Key, v.snapshot) {
			t.Fatalf("delete %d: %+v, unchanged %v; want it present with generation 3, and good", i, v, s.committer.recent.unchanged(remove.Deletes[i].Key, v.snapshot))
		}
	}
	s.commit(persistence.Batch{Groups: []persistence.Group{put}})
	for i := range remove.Deletes {
		if s.committer.recent.unchanged(remove.Deletes[i].Key, view.ofDelete(i).snapshot) {
			t.Fatalf("delete %d: written over since, it is taken for unchanged", i)
		}
	}
}

func TestNoKeyIsTakenForUnchangedSinceASnapshotBeforeItWasWritten(t *testing.T) {
	r := newRecent()
	key := func(i int) []byte { return fmt.Append(nil, i) }
	const keys = 3 * recentSlots
	written := func(i int) uint64 { return uint64(1 + i/100) }
	for i := range keys {
		r.note(key(i), written(i))
	}
	for i := 0; i < keys; i += 97 {
		if r.unchanged(key(i), written(i)-1) {
			t.Fatalf("key %d, written for snapshot %d, is taken for unchanged since the one before", i, written(i))
		}
	}
	stale := 0
	const others = 1000
	for i := range others {
		if !r.unchanged(key(keys+i), written(keys-1)-50) {
			stale++
		}
	}
	// Five thousand keys were written since, so that one slot of twenty-six is taken.
	if stale > others/10 {
		t.Errorf("%d of %d keys that were never written are taken for changed since a recent snapshot", stale, others)
	}
}
