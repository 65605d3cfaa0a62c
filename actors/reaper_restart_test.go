package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// named returns a conversation of a shard from `from` on.
func named(from persistence.Shard) string {
	for i := 0; ; i++ {
		if name := fmt.Sprintf("group:%d", i); persistence.ShardOf(name) >= from && persistence.ShardOf(name) < from+64 {
			return name
		}
	}
}

// The survey of an incarnation that has failed goes on meanwhile, and takes shards that the next one has asked to be looked at.
func TestAReaperThatBeganAnewMissesNothingThatTheOneBeforeItLookedFor(t *testing.T) {
	actorstest.Run(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}, func(t *testing.T, e *actorstest.Engine) {
		for _, shard := range []persistence.Shard{0, 128} {
			e.Do(named(shard), &conversation.Post{Seq: 1, Sender: "ann"})
		}
		var scans atomic.Int64
		release := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		e.Store.SetFaults(persistencetest.Faults{Scan: func(r persistence.Range, yielded int) error {
			if persistence.KindOf(r.Start) != persistence.KindDue || yielded > 0 {
				return nil
			}
			if n := scans.Add(1); n <= 2 {
				<-release[n-1]
			}
			return nil
		}})
		e.Advance(time.Hour)
		e.FailReaper()
		synctest.Wait()
		if n := scans.Load(); n != 2 {
			t.Fatalf("%d surveys have begun, want the one before and the one after", n)
		}
		close(release[0])
		synctest.Wait()
		close(release[1])
		e.Advance(time.Minute)
		if n := len(e.Expired()); n != 2 {
			t.Errorf("%d conversations were deleted, want 2", n)
		}
	})
}
