package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestACursorStaysGoodOnAStoreAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		e.Post("group:1", "ann", 1, "bob")
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob"})
		for day := range 20 {
			if err != nil || page.Full != (day == 0) {
				t.Fatalf("on day %d: full is %v, %v", day, page.Full, err)
			}
			e.Advance(24 * time.Hour)
			page, err = e.Sync(t.Context(), actors.SyncQuery{User: "bob", Cursor: page.Cursor})
		}
	})
}

func TestABusyStoresClockIsLeftToItsCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		empty := 0
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if len(b.Groups) == 0 {
				empty++
			}
			return nil
		}})
		for i := range uint64(100) {
			e.Post("group:1", "ann", i+1)
			e.Advance(time.Hour - time.Minute)
		}
		if empty != 0 {
			t.Errorf("%d commits did no more than move the clock", empty)
		}
	})
}
