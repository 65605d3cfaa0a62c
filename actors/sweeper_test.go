package actors

import (
	"testing"
	"time"
)

// Where sweeps come faster than they are done, they would keep a worker from everything else.
func TestAShardIsNotToldToSweepWhileItHasYetToBegin(t *testing.T) {
	f := newCellFixture(t)
	e := f.shard.engine
	e.shards = []*shard{f.shard}
	e.config.Clock, e.config.IdleAfter = f.virtual, time.Second
	e.sweeper = &sweeper{engine: e}
	e.sweeper.arm()
	periods := func() {
		for range 20 {
			f.virtual.Advance(f.virtual.Now().Add(e.config.IdleAfter / 2))
		}
	}
	periods()
	if n := f.told.count(); n != 1 {
		t.Errorf("in 20 periods the shard was told to sweep %d times, and began with none; want once", n)
	}
	f.shard.sweeping.Store(false) // it has begun
	periods()
	if n := f.told.count(); n != 2 {
		t.Errorf("once it had begun it was told %d times more, want once", n-1)
	}
	e.sweeper.stop()
}
