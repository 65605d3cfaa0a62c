package badgerstore

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Rows of maintenance tests: few, but as large as it takes for several memtables. They do not compress.
const (
	bulkRows  = 11_600
	bulkValue = 8_000
	bulkBatch = 100
)

func bulkKey(n int) []byte { return binary.BigEndian.AppendUint32([]byte("xbulk"), uint32(n)) }

// bulkContent is the value of a row, each time that it is written anew.
func bulkContent(n, times int) []byte {
	value := make([]byte, bulkValue)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(times)}).Read(value) // never fails
	return value
}

// bulk writes rows, or deletes them.
func (s *subject) bulk(from, to int, remove bool) {
	s.Helper()
	for ; from < to; from += bulkBatch {
		s.bulkEvery(from, min(to, from+bulkBatch), 1, remove)
	}
}

// bulkEvery does so in one group, with each row at some distance from the one before.
func (s *subject) bulkEvery(from, to, distance int, remove bool) {
	s.Helper()
	g := persistence.Group{Shard: 1, Epoch: s.epoch}
	for n := from; n < to; n += distance {
		if remove {
			g.Deletes = append(g.Deletes, persistence.Delete{Key: bulkKey(n)})
		} else {
			g.Puts = append(g.Puts, persistence.Put{Key: bulkKey(n), Value: bulkContent(n, 0)})
		}
	}
	s.commit(persistence.Batch{Groups: []persistence.Group{g}})
}

// settled opens a store that was settled before, in an empty directory. Only for use in a bubble.
func settled(t *testing.T, dir string, o Options) *subject {
	t.Helper()
	template.Do(func() {
		s := open(t, template.dir, Options{NoSync: true, MaintainEvery: -1})
		s.settle()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.CopyFS(dir, os.DirFS(template.dir)); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, o)
}

// template is what is copied for each test that begins with the rows: to write them takes seconds. TestMain removes it.
var template struct {
	sync.Once
	dir string
}

// settle writes the rows and lets Badger's own compactions take them to the last level. Only for use in a bubble.
func (s *subject) settle() {
	s.Helper()
	// Each memtable has rows from everywhere, as those of an engine do: Badger compacts tables of level 0 together where they overlap.
	for first := range bulkRows / bulkBatch {
		s.bulkEvery(first, bulkRows, bulkRows/bulkBatch, false)
	}
	time.Sleep(5 * time.Second) // virtual: Badger compacts by itself
	if size := s.db.Levels()[lastLevel].Size; size < 32<<20 {
		s.Fatalf("only %d bytes are in the last level: the test shows nothing", size)
	}
}

func (s *subject) disk() Disk {
	s.Helper()
	d, err := s.Disk()
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// wantBulk has exactly those rows there, with what was written.
func (s *subject) wantBulk(snapshot persistence.Snapshot, from, to int) {
	s.Helper()
	n := from
	for row, err := range snapshot.Scan(s.Context(), persistence.PrefixRange([]byte("xbulk"))) {
		if err != nil {
			s.Fatal(err)
		}
		if n >= to || !bytes.Equal(row.Key, bulkKey(n)) || !bytes.Equal(row.Value, bulkContent(n, 0)) {
			s.Fatalf("row %q, or its value, where row %d of %d is expected", row.Key, n, to)
		}
		n++
	}
	if n != to {
		s.Fatalf("the rows end with %d, want %d", n, to)
	}
}

func (s *subject) snapshot() persistence.Snapshot {
	s.Helper()
	snapshot, err := s.Snapshot()
	if err != nil {
		s.Fatal(err)
	}
	return snapshot
}
