package benchmarks_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// BenchmarkListWrites measures what one post, committed alone, writes at several sizes: rows and bytes, keys and values together, and how long it takes until it is
// answered. The first post to a conversation in an hour moves the entries of its members, where those are few; the later ones move none.
func BenchmarkListWrites(b *testing.B) {
	for _, members := range []int{2, 64, *lists.members} {
		b.Run(fmt.Sprintf("members=%d/first-in-hour", members), func(b *testing.B) { listWrites(b, members, time.Hour) })
		b.Run(fmt.Sprintf("members=%d/later", members), func(b *testing.B) { listWrites(b, members, 0) })
	}
}

func listWrites(b *testing.B, members int, between time.Duration) {
	b.Helper()
	store := &countingStore{Store: openStore(b, b.TempDir(), badgerstore.Options{NoSync: true})}
	virtual := clock.NewVirtual(listEnd())
	engine := startEngine(b, store, actors.Config{Clock: virtual, IdleAfter: 1_000_000 * time.Hour})
	for from := 0; from < members; from += conversation.MaxUsers {
		join := &conversation.Join{}
		for i := from; i < min(members, from+conversation.MaxUsers); i++ {
			join.Users = append(join.Users, memberName(i))
		}
		if _, err := engine.Propose(ctx(), &actors.Proposal{Conversation: "group:of-many", Change: join}); err != nil {
			b.Fatal(err)
		}
	}
	seq := uint64(0)
	post := func() time.Duration {
		virtual.Advance(virtual.Now().Add(between))
		settle(b, engine)
		seq++
		change := &conversation.Post{Seq: seq, Sender: memberName(int(seq) % 2), Preview: []byte("see you at eight, and bring the papers with you")}
		began := time.Now()
		if _, err := engine.Propose(ctx(), &actors.Proposal{Conversation: "group:of-many", Change: change}); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for range 3 { // those who post have their rows in memory
		post()
	}
	var took []time.Duration
	var rows, bytes int64
	for b.Loop() {
		for range *lists.samples {
			settle(b, engine)
			rowsBefore, bytesBefore := store.rows.Load(), store.bytes.Load()
			took = append(took, post())
			settle(b, engine)
			rows += store.rows.Load() - rowsBefore
			bytes += store.bytes.Load() - bytesBefore
		}
	}
	b.ReportMetric(float64(rows)/float64(len(took)), "rows/post")
	b.ReportMetric(float64(bytes)/float64(len(took)), "bytes/post")
	b.ReportMetric(milliseconds(quantile(took, 0.5)), "p50-ms")
	b.ReportMetric(milliseconds(quantile(took, 0.99)), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// countingStore counts what is committed to it.
type countingStore struct {
	persistence.Store

	rows, bytes atomic.Int64
}

func (s *countingStore) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	for i := range batch.Groups {
		g := &batch.Groups[i]
		s.rows.Add(int64(len(g.Puts) + len(g.Deletes)))
		for _, put := range g.Puts {
			s.bytes.Add(int64(len(put.Key) + len(put.Value)))
		}
		for _, del := range g.Deletes {
			s.bytes.Add(int64(len(del.Key) + len(del.Replace)))
		}
	}
	return s.Store.Commit(ctx, batch)
}
