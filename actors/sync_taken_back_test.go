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

// syncAll has a device read an answer to its end, and says whether that told everything anew.
func syncAll(t *testing.T, e *actorstest.Engine, d *device) (full bool) {
	t.Helper()
	for range 100 {
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: d.user, Cursor: d.cursor, Limit: d.limit})
		if err != nil {
			t.Fatal(err)
		}
		full = full || page.Full
		if d.fold(&page); !page.More {
			return full
		}
	}
	t.Fatal("the answer does not end")
	return full
}

// has requires that the device has the last messages of these conversations, and nothing else.
func (d *device) has(t *testing.T, want map[string]uint64) {
	t.Helper()
	for name, s := range d.list {
		if last, ok := want[name]; !ok || s.LastSeq != last {
			t.Errorf("the device has message %d of %s; want %d, of %v", s.LastSeq, name, last, want)
		}
	}
	for name := range want {
		if _, ok := d.list[name]; !ok {
			t.Errorf("the device has not got %s", name)
		}
	}
}

func applied(t *testing.T, e *actorstest.Engine, name string, change conversation.Change) {
	t.Helper()
	if _, err := e.Propose(t.Context(), &actors.Proposal{Conversation: name, Change: change, Ack: actors.AckApplied}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoeverWasToldOfWhatACrashTookBackIsToldEverythingAnew(t *testing.T) {
	for _, from := range []string{"a sync", "a list"} {
		t.Run(from, func(t *testing.T) {
			actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
				e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
				d := &device{user: "ann"}
				syncAll(t, e, d)
				e.Advance(time.Hour)
				e.Break(actorstest.WritesHang())
				applied(t, e, "group:1", &conversation.Post{Seq: 2, Sender: "ann"})
				applied(t, e, "group:2", &conversation.Post{Seq: 1, Sender: "ann"})
				if from == "a sync" {
					if syncAll(t, e, d) {
						t.Error("everything was told anew, though nothing was lost")
					}
				} else {
					page, err := e.Conversations(t.Context(), actors.ListQuery{User: "ann"})
					if err != nil {
						t.Fatal(err)
					}
					d.cursor, d.list = page.SyncCursor, map[string]sight{}
					for i := range page.Conversations {
						d.list[page.Conversations[i].Conversation] = seen(&page.Conversations[i])
					}
				}
				d.has(t, map[string]uint64{"group:1": 2, "group:2": 1})
				e.Crash()
				if !syncAll(t, e, d) {
					t.Error("not everything was told anew")
				}
				d.has(t, map[string]uint64{"group:1": 1})
				if syncAll(t, e, d) {
					t.Error("everything was told anew once more")
				}
			})
		})
	}
}

// The store takes deletions, which raise its clock, but no changes, for so long that the hour in which a change is found goes by.
func TestWhatIsNotInTheStoreIsRememberedForAsLongAsItIsNot(t *testing.T) {
	actorstest.Run(t, actors.Config{Namespaces: map[string]conversation.Policy{"brief": {ExpireAfter: time.Minute}}}, func(t *testing.T, e *actorstest.Engine) {
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Do("brief:1", &conversation.Post{Seq: 1, Sender: "bob"})
		d := &device{user: "ann"}
		syncAll(t, e, d)
		e.Advance(time.Second) // all of it is in the store
		var reaps atomic.Bool
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for i := range b.Groups {
				if b.Groups[i].Requires == nil || !reaps.Load() {
					return actorstest.ErrBroken
				}
			}
			return nil
		}})
		e.Advance(59 * time.Minute)
		applied(t, e, "group:1", &conversation.Post{Seq: 2, Sender: "ann"})
		syncAll(t, e, d)
		e.Advance(time.Minute)
		reaps.Store(true)
		e.Advance(time.Minute)
		if n := e.Stats().Reaper.Expired; n != 1 {
			t.Fatalf("%d generations were deleted, want 1", n)
		}
		for range 3 {
			syncAll(t, e, d)
			d.has(t, map[string]uint64{"group:1": 2})
		}
		e.Crash()
		syncAll(t, e, d)
		d.has(t, map[string]uint64{"group:1": 1})
	})
}

func TestACrashThatTookNothingBackLetsDevicesGoOn(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
		d := &device{user: "ann"}
		syncAll(t, e, d)
		e.Do("group:2", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Crash()
		e.Restart()
		if syncAll(t, e, d) {
			t.Error("everything was told anew")
		}
		d.has(t, map[string]uint64{"group:1": 1, "group:2": 1})
	})
}

func TestWhoeverWasToldOfRowsThatTheStoreRefusedIsToldEverythingAnew(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
		d := &device{user: "ann"}
		syncAll(t, e, d)
		e.Advance(time.Hour)
		e.Break(actorstest.RowsAreRefused("group:1", nil))
		applied(t, e, "group:1", &conversation.Post{Seq: 2, Sender: "ann"})
		applied(t, e, "group:2", &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
		syncAll(t, e, d)
		d.has(t, map[string]uint64{"group:1": 2, "group:2": 1})
		e.Advance(time.Minute)
		if v := e.View("group:1", ""); v.LastSeq != 1 {
			t.Fatalf("nothing was dropped: %+v", v)
		}
		if !syncAll(t, e, d) {
			t.Error("not everything was told anew")
		}
		d.has(t, map[string]uint64{"group:1": 1, "group:2": 1})
		if syncAll(t, e, d) {
			t.Error("everything was told anew once more")
		}
	})
}

func TestABackupThatWasPutBackKnowsOnlyTheCursorsOfBeforeIt(t *testing.T) {
	for _, test := range []struct {
		name     string
		restarts int // before the device asks
		later    bool
		full     bool
	}{
		{name: "a cursor of before it", full: false},
		{name: "a cursor of after it", later: true, full: true},
		{name: "a cursor of before it, after restarts", restarts: 3, full: false},
		{name: "a cursor of after it, after restarts", restarts: 3, later: true, full: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
				e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
				d := &device{user: "ann"}
				syncAll(t, e, d)
				e.Advance(time.Second)
				e.Do("group:2", &conversation.Post{Seq: 1, Sender: "ann"})
				backup := e.Store.Copy()
				e.Advance(time.Second)
				e.Do("group:3", &conversation.Post{Seq: 1, Sender: "ann"})
				if test.later {
					syncAll(t, e, d)
					d.has(t, map[string]uint64{"group:1": 1, "group:2": 1, "group:3": 1})
				}
				e.Restore(backup)
				for range test.restarts {
					e.Restart()
				}
				if full := syncAll(t, e, d); full != test.full {
					t.Errorf("everything was told anew: got %v, want %v", full, test.full)
				}
				d.has(t, map[string]uint64{"group:1": 1, "group:2": 1})
			})
		})
	}
}

func TestPagesOfEverythingGoOnAfterARestart(t *testing.T) {
	for _, crash := range []bool{false, true} {
		actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
			e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
			e.Do("group:2", &conversation.Post{Seq: 1, Sender: "ann"})
			e.Break(actorstest.WritesHang())
			applied(t, e, "group:0", &conversation.Post{Seq: 1, Sender: "ann"})
			d := &device{user: "ann", limit: 1}
			page, err := e.Sync(t.Context(), actors.SyncQuery{User: "ann", Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			d.fold(&page)
			d.has(t, map[string]uint64{"group:0": 1})
			if crash {
				e.Crash()
			} else {
				e.Heal()
				e.Restart()
			}
			page, err = e.Sync(t.Context(), actors.SyncQuery{User: "ann", Limit: 1, Cursor: d.cursor})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Changed) != 1 || page.Changed[0].Conversation != "group:1" {
				t.Errorf("the next page begins with %+v, want group:1", page.Changed)
			}
			d.fold(&page)
			syncAll(t, e, d)
			syncAll(t, e, d)
			want := map[string]uint64{"group:0": 1, "group:1": 1, "group:2": 1}
			if crash {
				delete(want, "group:0")
			}
			d.has(t, want)
		})
	}
}

func TestACursorIsGoodForTheHorizonThoughNothingIsWritten(t *testing.T) {
	actorstest.Run(t, actors.Config{SyncHorizon: 24 * time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		for _, name := range []string{"group:1", "group:2", "group:3"} {
			e.Do(name, &conversation.Post{Seq: 1, Sender: "ann"})
		}
		d := &device{user: "ann", limit: 1}
		syncAll(t, e, d)
		for day := range 30 {
			e.Advance(22 * time.Hour)
			if syncAll(t, e, d) {
				t.Fatalf("day %d: everything was told anew, though nothing happened", day)
			}
		}
		e.Advance(26 * time.Hour)
		if !syncAll(t, e, d) {
			t.Error("a cursor that is older than what the store still knows was followed")
		}
	})
}

func TestOneWhoIsNotInTheNextGenerationIsToldSoBeforeTheReaperIsDone(t *testing.T) {
	for _, reason := range []persistence.Reason{persistence.ReasonExpired, persistence.ReasonDeleted} {
		for _, committed := range []bool{false, true} {
			actorstest.Run(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}, func(t *testing.T, e *actorstest.Engine) {
				r := e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}})
				d := &device{user: "bob"}
				syncAll(t, e, d)
				e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
					for i := range b.Groups {
						if b.Groups[i].Requires != nil {
							return actorstest.ErrBroken
						}
					}
					return nil
				}})
				if reason == persistence.ReasonDeleted {
					if _, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:1", Change: &conversation.Delete{}, IfGeneration: r.Generation}); err != nil {
						t.Fatal(err)
					}
				}
				e.Advance(time.Hour)
				if committed {
					e.Do("group:1", &conversation.Post{Seq: 2, Sender: "ann"})
				} else {
					applied(t, e, "group:1", &conversation.Post{Seq: 2, Sender: "ann"})
				}
				page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob", Cursor: d.cursor})
				if err != nil {
					t.Fatal(err)
				}
				want := actors.Removal{Conversation: "group:1", Generation: r.Generation, Reason: reason}
				if len(page.Removed) != 1 || page.Removed[0] != want || len(page.Changed) != 0 {
					t.Errorf("got %+v and %+v; want the removal %+v", page.Removed, page.Changed, want)
				}
			})
		}
	}
}

func TestAGenerationThatIsDeletedAfterTheNextLeavesNothingInTheIndex(t *testing.T) {
	actorstest.Run(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}, func(t *testing.T, e *actorstest.Engine) {
		var first persistence.Generation
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for i := range b.Groups {
				if b.Groups[i].Requires == nil {
					continue
				}
				if _, _, generation, err := persistence.ParseDueKey(b.Groups[i].Requires); err != nil || generation == first || first == 0 {
					return actorstest.ErrBroken // the older one is set aside
				}
			}
			return nil
		}})
		r := e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob", "cid", "dan"}})
		pin := uint64(1)
		e.Set("group:1", conversation.Set{User: "bob", Pin: &pin})
		e.Set("group:1", conversation.Set{User: "dan", Pin: &pin})
		e.Do("group:1", &conversation.Leave{Users: []string{"dan"}, Keep: true})
		e.Advance(time.Hour)
		first = persistence.Generation(r.Generation)
		e.Do("group:1", &conversation.Post{Seq: 2, Sender: "ann", Members: []string{"bob", "dan"}}) // who have entries of before that no rows of theirs tell of any more
		e.Advance(6 * time.Hour)
		e.Do("group:1", &conversation.Post{Seq: 3, Sender: "ann", Members: []string{"bob", "cid"}}) // of the second nothing is left, of the first what names it
		e.Check()
		e.Heal()
		e.Advance(30 * time.Minute)
		e.Check()
		if n := e.Stats().Reaper.Expired; n != 2 {
			t.Errorf("%d generations were deleted, want 2", n)
		}
		if v := e.View("group:1", "cid"); v == nil || v.LastSeq != 3 || v.Membership.Unread != 1 {
			t.Errorf("the third is %+v", v)
		}
		e.Advance(time.Hour)
		e.Check()
		if n := e.Stats().Reaper.Expired; n != 3 {
			t.Errorf("%d generations were deleted, want 3", n)
		}
	})
}
