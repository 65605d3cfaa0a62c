package actors_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// overdueAtStart asks for a larger backlog than what every run has time for.
var overdueAtStart = flag.Int("overdue", 3_000, "how many conversations are overdue when an engine starts on a real store")

const (
	overdueRate    = 60_000 // rows a second, at most
	overduePending = 1_024
)

// An engine starts on a store in which nothing was deleted for long. It is ready at once: posts are answered, and what is over is not shown, while there is yet almost all of it. It goes away
// at no more than the pace, out of a bounded memory, and the time that is left for it is told.
func TestAStartWithABacklogOnARealStoreIsReadyAtOnceAndSmearsIt(t *testing.T) {
	n := *overdueAtStart
	store, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	began := time.Now()
	fillOverdue(t, store, n)
	t.Logf("%d conversations were begun in %v", n, time.Since(began).Round(time.Millisecond))

	w := &overdueWatch{n: n, gone: make(chan struct{})}
	began = time.Now()
	w.engine, err = actors.Start(t.Context(), nil, store, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Hour}, Observer: &actors.Observer{ReapEnd: w.reaped},
		Reaper: actors.ReaperConfig{MaxRowsPerSecond: overdueRate, MaxPending: overduePending},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ready.Store(true)
	if r, err := w.engine.Propose(t.Context(), &actors.Proposal{Conversation: "group:new", Change: &conversation.Post{Seq: 1, Sender: "ann"}}); err != nil || r.Err != nil {
		t.Errorf("a post: %v, %v", err, r.Err)
	}
	if _, err := w.engine.Get(t.Context(), overdueName(n-1), "ann"); !errors.Is(err, conversation.ErrNotFound) {
		t.Errorf("what is over is answered with %v, want that it is not found", err)
	}
	if gone := int(w.engine.Stats().Reaper.Expired); gone > n*3/4 {
		t.Errorf("%d of %d were deleted before the first post was answered", gone, n)
	}
	t.Logf("a post was answered %v after the start", time.Since(began).Round(time.Millisecond))
	posts := w.talk(t)
	took := time.Since(began)
	s := w.engine.Stats().Reaper
	t.Logf("%d were deleted, %d rows, %.0f a second, beside %d posts; the ETA was %v", s.Expired, s.Rows, float64(s.Rows)/took.Seconds(), posts, w.etas())
	if most := overdueRate*took.Seconds()*1.05 + overdueRate/4; float64(s.Rows) > most {
		t.Errorf("%d rows were deleted in %v, want at most %.0f", s.Rows, took, most)
	}
	if w.most > overduePending {
		t.Errorf("%d generations were held in memory, want at most %d", w.most, overduePending)
	}
	if etas := w.etas(); slices.Contains(etas, 0) { // that it falls is for a steady pace to show: here it goes by how fast the machine is just then
		t.Errorf("the ETA was %v in the four quarters, want one in each", etas)
	}
	if err := w.engine.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	wantOneLeft(t, store)
}

func overdueName(i int) string { return fmt.Sprintf("group:%d", i) }

// fillOverdue begins conversations that were over an hour ago.
func fillOverdue(t *testing.T, store persistence.Store, n int) {
	t.Helper()
	machine := &clock.Machine{}
	machine.StepWall(-2*time.Hour - time.Minute)
	engine, err := actors.Start(t.Context(), nil, store, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Hour}, Clock: machine.System(), MaxActive: 20_000, IdleAfter: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	for done := 0; done < n; {
		var batch []*actors.Proposal
		for len(batch) < 500 && done < n {
			batch = append(batch, &actors.Proposal{
				Conversation: overdueName(done), Change: &conversation.Post{Seq: 1, Sender: "ann", Members: []string{fmt.Sprint("user", done)}},
			})
			done++
		}
		replies, err := engine.ProposeBatch(t.Context(), batch)
		for i := range replies {
			err = errors.Join(err, replies[i].Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// overdueWatch looks at the reaper while it works.
type overdueWatch struct {
	engine *actors.Engine
	ready  atomic.Bool // engine is there
	n      int
	gone   chan struct{} // closed once all are

	mu       sync.Mutex
	quarters [4][]time.Duration // ETAs, by how much was gone
	most     int                // generations in memory
	over     bool
}

// reaped looks at the reaper after each of its batches.
func (w *overdueWatch) reaped(actors.ReapInfo) {
	if !w.ready.Load() {
		return
	}
	r := w.engine.Stats().Reaper
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = max(w.most, r.Pending)
	if gone := int(r.Expired); gone < w.n && r.ETA > 0 {
		w.quarters[gone*4/w.n] = append(w.quarters[gone*4/w.n], r.ETA)
	} else if gone >= w.n && !w.over {
		w.over = true
		close(w.gone)
	}
}

// etas returns the median ETA of each quarter.
func (w *overdueWatch) etas() (medians []time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, quarter := range w.quarters {
		slices.Sort(quarter)
		median := time.Duration(0)
		if len(quarter) > 0 {
			median = quarter[len(quarter)/2].Round(time.Millisecond)
		}
		medians = append(medians, median)
	}
	return medians
}

// talk posts, one post after the other, until all is gone. Each is answered.
func (w *overdueWatch) talk(t *testing.T) (posts uint64) {
	t.Helper()
	const patience = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		select {
		case <-w.gone:
			return posts
		default:
		}
		posts++
		r, err := w.engine.Propose(ctx, &actors.Proposal{Conversation: "group:new", Change: &conversation.Post{Seq: 1 + posts, Sender: "ann"}})
		if err != nil || r.Err != nil {
			t.Fatalf("post %d beside the backlog: %v, %v: %+v", posts, err, r.Err, w.engine.Stats().Reaper)
		}
	}
}

// wantOneLeft requires that one conversation is left in a store, and that only that one is to expire.
func wantOneLeft(t *testing.T, store persistence.Store) {
	t.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	left := map[persistence.Kind]int{}
	for row, err := range snapshot.Scan(t.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			t.Fatal(err)
		}
		kind := persistence.KindOf(row.Key)
		if head, _, err := persistence.DecodeHead(row.Value); kind == persistence.KindHead && err == nil && head == nil {
			continue // a tombstone
		}
		left[kind]++
	}
	for _, kind := range []persistence.Kind{persistence.KindHead, persistence.KindTail, persistence.KindRoster, persistence.KindDue, persistence.KindMember, persistence.KindMembership} {
		if left[kind] != 1 {
			t.Errorf("%d rows of the kind %v are left, want the one of the new conversation", left[kind], kind)
		}
	}
}
