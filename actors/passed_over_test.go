package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// A survey begins while a generation is being judged, and waits at another shard. Meanwhile the judgement fails, so that the generation is to be looked for again; then the survey takes
// its shard, and with it that wish, and passes over the generation because it was being dealt with when the survey began.
func TestAGenerationThatASurveyPassesOverWhileItIsLeftToTheIndexIsFoundAgain(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		const judged = "group:judged"
		shard := persistence.ShardOf(judged)
		first, beside := nameIn(shard-1), nameIn(shard) // of those due at the same moment, that of the lower shard is looked for first
		e.Post(judged, "ann", 1)
		e.Advance(time.Second)
		e.Post(first, "ann", 1)
		e.Post(beside, "ann", 1)
		e.Advance(time.Hour - 2*time.Second) // none is in memory any more
		fail, goOn := make(chan struct{}), make(chan struct{})
		var reading, looking atomic.Bool
		e.Store.SetFaults(persistencetest.Faults{
			Get: func(key []byte) error {
				if reading.Load() || string(key) != string(persistence.HeadKey(judged)) {
					return nil
				}
				reading.Store(true)
				<-fail
				return actorstest.ErrBroken
			},
			Scan: func(r persistence.Range, _ int) error {
				if !looking.Load() && reading.Load() && string(r.End) == string(persistence.DueRange(shard-1, 0, persistence.Never).End) {
					looking.Store(true)
					<-goOn
				}
				return nil
			},
		})
		e.Advance(2 * time.Second) // the one is judged, and then the others have come due
		if !reading.Load() || !looking.Load() {
			t.Errorf("the judgement waits: %v, the survey waits: %v; want both", reading.Load(), looking.Load())
		}
		close(fail)
		synctest.Wait()
		close(goOn)
		e.Advance(time.Minute)
		if got := e.Stats().Reaper; got.Expired != 3 {
			t.Errorf("%d of 3 were deleted: %+v", got.Expired, got)
		}
	})
}

// nameIn returns the name of a conversation in a shard.
func nameIn(shard persistence.Shard) string {
	for i := 0; ; i++ {
		if name := fmt.Sprintf("group:%d", i); persistence.ShardOf(name) == shard {
			return name
		}
	}
}
