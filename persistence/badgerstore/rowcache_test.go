package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// countedHead is a head's value that tells one commit from another.
func countedHead(n uint64) []byte { return (&persistence.Head{Generation: 1, Version: n}).Encode() }

func countOf(t *testing.T, value []byte) uint64 {
	t.Helper()
	head, _, err := persistence.DecodeHead(value)
	if err != nil {
		t.Fatal(err)
	}
	return head.Version
}

func headName(i int) string { return fmt.Sprintf("group:%d", i) }

// One writer counts heads of one shard up, two in each commit; readers hold snapshots for a while. Each snapshot must have what was committed before it was taken, the same number
// in both heads of a pair, and the same however often it is asked, whether the cache has it, or another's put, or Badger.
func TestASnapshotHasTheSameRowsWhetherTheyAreKeptOrNot(t *testing.T) {
	for _, room := range []int{-1, 64 * 512, DefaultRowCache} {
		t.Run(fmt.Sprintf("room=%d", room), func(t *testing.T) {
			s := open(t, t.TempDir(), Options{NoSync: true, RowCacheBytes: room})
			const pairs, commits = 8, 1_500
			epochs, err := s.Acquire(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			commit := func(pair int, n uint64) {
				group := persistence.Group{Epoch: epochs[0]}
				for i := range 2 {
					key := persistence.HeadKey(headName(2*pair + i))
					if n%5 == 0 {
						group.Deletes = append(group.Deletes, persistence.Delete{Key: key, UpTo: 1, Replace: countedHead(n)})
					} else {
						group.Puts = append(group.Puts, persistence.Put{Key: key, Value: countedHead(n)})
					}
				}
				results, err := s.Commit(context.Background(), persistence.Batch{Groups: []persistence.Group{group}})
				if err != nil || results[0].Err != nil {
					t.Errorf("commit: %v, %+v", err, results)
				}
			}
			var committed [pairs]atomic.Uint64
			for pair := range pairs {
				commit(pair, 1)
				committed[pair].Store(1)
			}
			var readers sync.WaitGroup
			done := make(chan struct{})
			for range 3 {
				readers.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						pair := rand.IntN(pairs)
						least := committed[pair].Load()
						snapshot, err := s.Snapshot()
						if err != nil {
							t.Errorf("snapshot: %v", err)
							return
						}
						first := uint64(0)
						for turn := range 6 {
							value, err := snapshot.Get(context.Background(), persistence.HeadKey(headName(2*pair+turn%2)))
							if err != nil {
								t.Errorf("get: %v", err)
								break
							}
							n := countOf(t, value)
							if first == 0 {
								first = n
							}
							if n < least || n != first {
								t.Errorf("pair %d: got %d on turn %d, %d at first; %d was committed before", pair, n, turn, first, least)
							}
						}
						snapshot.Close()
					}
				})
			}
			for n := range uint64(commits) {
				pair := rand.IntN(pairs)
				commit(pair, n+2)
				committed[pair].Store(n + 2)
			}
			close(done)
			readers.Wait()
		})
	}
}

func TestARowThatIsDeletedIsNotKept(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	epochs, err := s.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	key := persistence.HeadKey("group:1")
	write := func(group persistence.Group) {
		t.Helper()
		group.Epoch = epochs[0]
		if _, err := s.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{group}}); err != nil {
			t.Fatal(err)
		}
	}
	get := func() error {
		snapshot, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		_, err = snapshot.Get(t.Context(), key)
		return err
	}
	write(persistence.Group{Puts: []persistence.Put{{Key: key, Value: countedHead(1)}}})
	if err := errors.Join(get(), get()); err != nil {
		t.Fatal(err)
	}
	write(persistence.Group{Deletes: []persistence.Delete{{Key: key}}})
	if err := get(); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("a deleted row: got %v, want ErrNotFound", err)
	}
}

// A commit that failed may have been written all the same: the next snapshot tells, not what was kept before.
func TestWhatAFailedCommitMayHaveWrittenIsNotKept(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	epochs, err := s.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	key := persistence.HeadKey("group:1")
	commit := func(n uint64) error {
		_, err := s.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{{
			Epoch: epochs[0], Puts: []persistence.Put{{Key: key, Value: countedHead(n)}},
		}}})
		return err
	}
	get := func() uint64 {
		snapshot, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		value, err := snapshot.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return countOf(t, value)
	}
	if err := commit(1); err != nil || get() != 1 {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	s.committer.write = func(txn *badger.Txn) error { return errors.Join(txn.Commit(), broken) }
	if err := commit(2); !errors.Is(err, broken) {
		t.Fatalf("got %v, want the commit to fail", err)
	}
	if got := get(); got != 2 {
		t.Errorf("after a commit that failed though it was written: got %d, want 2", got)
	}
}

// What a reader of an older snapshot brings may have been overwritten since.
func TestNothingOlderThanTheLatestSnapshotIsPut(t *testing.T) {
	c := newRowCache(1 << 20)
	key := persistence.HeadKey("group:1")
	c.supersede(1, nil, false)
	c.put(key, []byte("one"), 1)
	if value, ok := c.get(key, 1); !ok || string(value) != "one" {
		t.Errorf("got %q, %t, want what was put", value, ok)
	}
	c.supersede(2, []row{{key: key, value: []byte("two")}}, false)
	if value, ok := c.get(key, 1); ok {
		t.Errorf("the snapshot before got %q, want nothing", value)
	}
	if value, ok := c.get(key, 2); !ok || string(value) != "two" {
		t.Errorf("got %q, %t, want what was written", value, ok)
	}
	c.put(key, []byte("one"), 1)
	if value, ok := c.get(key, 2); !ok || string(value) != "two" {
		t.Errorf("after the older one was put again: got %q, %t", value, ok)
	}
}

func TestRowsThatAreNotUsedGiveWay(t *testing.T) {
	const room = 64 << 10
	c := newRowCache(room)
	c.supersede(1, nil, false)
	key := func(i uint64) []byte { return persistence.HeadKey(fmt.Sprintf("group:%d", i)) }
	for i := range uint64(2_000) {
		c.put(key(i), binary.BigEndian.AppendUint64(nil, i), 1)
		c.get(key(0), 1)
	}
	bytes, rows := 0, 0
	for i := range c.parts {
		p := &c.parts[i]
		bytes += cap(p.spare)
		for _, s := range p.segments {
			bytes += cap(s)
		}
		rows += len(p.places)
	}
	if bytes > room || rows < 200 {
		t.Errorf("%d rows are kept in %d bytes, want a few hundred within %d", rows, bytes, room)
	}
	if _, ok := c.get(key(1_999), 1); !ok {
		t.Error("the row that was put last is not kept")
	}
	if _, ok := c.get(key(0), 1); !ok {
		t.Error("the row that is used all the time is not kept")
	}
}

// Whatever is put, replaced, removed and given up: what is found is what was put last under that very key.
func TestKeptRowsAreThoseThatWerePutLast(t *testing.T) {
	for _, room := range []int{1, 64 << 10, 1 << 20} {
		c := newRowCache(room)
		random, latest := rand.New(rand.NewPCG(1, uint64(room))), map[string]string{}
		snapshot, found := uint64(1), 0
		c.supersede(snapshot, nil, false)
		for i := range 50_000 {
			key := persistence.HeadKey(headName(random.IntN(3_000)))
			value := fmt.Sprint(i, string(make([]byte, random.IntN(120))))
			switch random.IntN(8) {
			case 0, 1: // overwritten, or deleted
				snapshot++
				remove := random.IntN(2) == 0
				c.supersede(snapshot, []row{{key, []byte(value), remove}}, random.IntN(10) == 0)
				delete(latest, string(key))
				if !remove {
					latest[string(key)] = value
				}
			case 2, 3:
				if is, ok := latest[string(key)]; ok { // read from the store
					value = is
				}
				c.put(key, []byte(value), snapshot)
				latest[string(key)] = value
			default:
				got, ok := c.get(key, snapshot)
				if ok {
					found++
				}
				if ok && string(got) != latest[string(key)] {
					t.Fatalf("room %d: %q: got %q, want %q", room, key, got, latest[string(key)])
				}
			}
		}
		if found == 0 && room > 1<<16 {
			t.Errorf("room %d: nothing was ever found", room)
		}
	}
}

func BenchmarkRowCache(b *testing.B) {
	c := newRowCache(DefaultRowCache)
	c.supersede(1, nil, false)
	keys := make([][]byte, 50_000)
	for i := range keys {
		keys[i] = persistence.HeadKey(headName(i))
		c.put(keys[i], countedHead(uint64(i)), 1)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok := c.get(keys[i*7919%len(keys)], 1); !ok {
			b.Fatal("it is not kept")
		}
	}
}
