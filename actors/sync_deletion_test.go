package actors_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// A reader that has asked for the removals that there are looks at the conversation only once the last part of a long deletion is done: then it finds nothing of either. All parts
// of the deletion have the stamp of its beginning, which later changes have long left behind.
func TestARemovalIsToldThoughItsDeletionBeganLongAgo(t *testing.T) {
	config := actors.Config{
		Namespaces: map[string]conversation.Policy{"brief": {ExpireAfter: time.Minute}}, Reaper: actors.ReaperConfig{BatchRows: 8, MinRowsPerSecond: 8, MaxRowsPerSecond: 8},
	}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Do("brief:1", &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob", "cid", "dan", "eve", "zoe"}})
		d := &device{user: "zoe"}
		syncAll(t, e, d)
		d.has(t, map[string]uint64{"brief:1": 1})
		e.Advance(time.Minute + 500*time.Millisecond)
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "bob"})
		var snapshots atomic.Int64 // of the sync: the deletion has its own already
		release := make(chan struct{})
		e.Store.SetFaults(persistencetest.Faults{Snapshot: func() error {
			if snapshots.Add(1) == 4 { // after what is overdue, the index, and the removals
				<-release
			}
			return nil
		}})
		done := make(chan error, 1)
		go func() {
			page, err := e.Sync(t.Context(), actors.SyncQuery{User: "zoe", Cursor: d.cursor})
			if d.fold(&page); len(page.Removed) > 0 {
				t.Error("the removal was told too early for this test to say anything")
			}
			done <- err
		}()
		e.Advance(10 * time.Second)
		if n := e.Stats().Reaper.Expired; n != 1 || snapshots.Load() != 4 {
			t.Fatalf("%d generations were deleted, want 1; the reader has taken %d snapshots, want 4", n, snapshots.Load())
		}
		close(release)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		syncAll(t, e, d)
		d.has(t, nil)
	})
}

func TestWhatIsOverdueIsARemovalWhileTheReaperLooksForIt(t *testing.T) {
	actorstest.Run(t, actors.Config{Namespaces: map[string]conversation.Policy{"brief": {ExpireAfter: 3 * time.Hour}}}, func(t *testing.T, e *actorstest.Engine) {
		e.Do("brief:1", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Advance(2 * time.Hour) // then no entry leads to it
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "bob"})
		d := &device{user: "ann"}
		syncAll(t, e, d)
		var asked atomic.Bool
		release := make(chan struct{})
		e.Store.SetFaults(persistencetest.Faults{Scan: func(r persistence.Range, _ int) error {
			if persistence.KindOf(r.Start) == persistence.KindDue && !asked.Swap(true) {
				<-release
			}
			return nil
		}})
		e.Advance(time.Hour)
		if !asked.Load() {
			t.Fatal("the reaper has not looked yet")
		}
		syncAll(t, e, d)
		d.has(t, nil)
		close(release)
	})
}
