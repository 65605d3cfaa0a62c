package benchmarks_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	doomedConversations = 2_000
	doomedMembers       = 4
	reapRows            = 500 // a batch, on both sides
)

// BenchmarkReap holds the reaper, unpaced, against Badger's WriteBatch, which deletes the same rows in batches of the same size under the same
// options. The reaper also judges each conversation, guards each row by its generation, publishes an event, leaves a tombstone and tells each member's devices of the removal. ratio is how many
// rows it deletes in the time in which the WriteBatch deletes one. (ns/op includes the preparations of both.)
func BenchmarkReap(b *testing.B) {
	var reaping, raw time.Duration
	rows := 0
	for b.Loop() {
		took, deleted := reap(b)
		reaping += took
		raw += deleteRaw(b, deleted)
		rows += len(deleted)
	}
	b.ReportMetric(float64(rows)/reaping.Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/raw.Seconds(), "raw-rows/s")
	b.ReportMetric(raw.Seconds()/reaping.Seconds(), "ratio")
}

// reap has an engine expire many conversations at once. It returns how long that took and which rows were deleted, with their values.
func reap(b *testing.B) (took time.Duration, deleted []persistence.Row) {
	b.Helper()
	store, err := badgerstore.Open(b.TempDir(), badgerstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	virtual := clock.NewVirtual(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC))
	engine, err := actors.Start(b.Context(), nil, store, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Hour},
		Clock:   virtual,
		Reaper:  actors.ReaperConfig{BatchRows: reapRows, BatchDelay: -1, MaxRowsPerSecond: -1},
	})
	if err != nil {
		b.Fatal(err)
	}
	begin(b, engine)
	before := contents(b, store)

	virtual.Advance(virtual.Now().Add(time.Hour))
	began := time.Now()
	if err := engine.Settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	took = time.Since(began)

	after := contents(b, store)
	for key, value := range before {
		if now, ok := after[key]; !ok || persistence.KindOf([]byte(key)) == persistence.KindHead && now != value {
			deleted = append(deleted, persistence.Row{Key: []byte(key), Value: []byte(value)})
		}
	}
	// A head, a tail, a roster and a due entry; for each member, a row on either side and an entry of their list.
	if want := doomedConversations * (4 + 3*doomedMembers); len(deleted) != want {
		b.Fatalf("%d rows were deleted, want %d", len(deleted), want)
	}
	stopEngine(b, engine)
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	return took, deleted
}

// begin begins the conversations and waits until all of them are in the store.
func begin(b *testing.B, engine *actors.Engine) {
	b.Helper()
	members := make([]string, doomedMembers)
	for i := range members {
		members[i] = "user-" + strconv.Itoa(i)
	}
	var batch []*actors.Proposal
	for i := range doomedConversations {
		batch = append(batch, &actors.Proposal{
			Conversation: "doomed:" + strconv.Itoa(i),
			Change:       &conversation.Post{Seq: 1, Sender: members[0], Members: members},
		})
		if len(batch) < 500 && i < doomedConversations-1 {
			continue
		}
		replies, err := engine.ProposeBatch(b.Context(), batch)
		if err != nil {
			b.Fatal(err)
		}
		for _, reply := range replies {
			if reply.Err != nil {
				b.Fatal(reply.Err)
			}
		}
		batch = nil
	}
}

// contents returns all rows of a store.
func contents(b *testing.B, store persistence.Store) map[string]string {
	b.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	defer snapshot.Close()
	rows := make(map[string]string)
	for row, err := range snapshot.Scan(b.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			b.Fatal(err)
		}
		rows[string(row.Key)] = string(row.Value)
	}
	return rows
}

// deleteRaw writes the rows to a database of their own and returns how long it takes to delete them again.
func deleteRaw(b *testing.B, rows []persistence.Row) time.Duration {
	b.Helper()
	// What package badgerstore sets, as far as it matters to writing.
	options := badger.DefaultOptions(b.TempDir()).
		WithSyncWrites(true).
		WithDetectConflicts(false).
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithNumCompactors(2).
		WithBlockCacheSize(32 << 20).
		WithValueLogFileSize(1 << 20).
		WithMetricsEnabled(false).
		WithLogger(nil)
	db, err := badger.Open(options)
	if err != nil {
		b.Fatal(err)
	}
	write := func(do func(batch *badger.WriteBatch, row persistence.Row) error) {
		for start := 0; start < len(rows); start += reapRows {
			batch := db.NewWriteBatch()
			for _, row := range rows[start:min(start+reapRows, len(rows))] {
				if err := do(batch, row); err != nil {
					b.Fatal(err)
				}
			}
			if err := batch.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	write(func(batch *badger.WriteBatch, row persistence.Row) error { return batch.Set(row.Key, row.Value) })
	began := time.Now()
	write(func(batch *badger.WriteBatch, row persistence.Row) error { return batch.Delete(row.Key) })
	took := time.Since(began)
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}
