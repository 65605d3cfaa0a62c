package actorstest_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

const day = 24 * time.Hour

func daily() actors.Config {
	return actors.Config{Default: conversation.Policy{ExpireAfter: 36 * time.Hour}}
}

func TestASteppedWallClockCountsFromTheNextStartOnAndNeverBackwards(t *testing.T) {
	actorstest.Run(t, daily(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		began := e.Now()
		e.StepWall(-day)
		if e.Restart(); e.Now().Before(began) || e.View("group:1", "") == nil {
			t.Errorf("after a step of minus a day and a restart it is %v, want %v or later; and there is %+v", e.Now(), began, e.View("group:1", ""))
		}
		e.StepWall(3 * day)
		if e.Advance(time.Second); e.View("group:1", "") == nil {
			t.Error("a step of the wall clock ended a conversation without a restart")
		}
		e.Crash()
		e.Advance(time.Second)
		if got := e.Now().Sub(began); got < 2*day || e.View("group:1", "") != nil || len(e.Expired()) != 1 {
			t.Errorf("two days ahead, after a crash: the clock went on by %v, %d expired", got, len(e.Expired()))
		}
	})
}

func TestASuspensionCounts(t *testing.T) {
	actorstest.Run(t, daily(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		began := e.Now()
		e.Suspend(2 * day)
		e.Advance(time.Minute)
		if got := e.Now().Sub(began); got != 2*day+time.Minute || len(e.Expired()) != 1 {
			t.Errorf("a minute after a suspension of two days the clock went on by %v, and %d expired", got, len(e.Expired()))
		}
	})
}

func TestAChangedConfigHoldsFromTheNextStartOn(t *testing.T) {
	actorstest.Run(t, daily(), func(t *testing.T, e *actorstest.Engine) {
		e.Configure(func(c *actors.Config) { c.Default.ExpireAfter = time.Hour })
		e.Post("group:1", "ann", 1)
		e.Restart()
		e.Post("group:2", "ann", 1)
		e.Advance(2 * time.Hour)
		if e.View("group:1", "") == nil || e.View("group:2", "") != nil {
			t.Errorf("after two hours: %+v of a day and a half, %+v of one", e.View("group:1", ""), e.View("group:2", ""))
		}
	})
}
