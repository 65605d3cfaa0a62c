package actors_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// lateClock reads the time, and keeps whoever asked at one moment from going on with it.
type lateClock struct {
	clock.Clock

	calls   atomic.Int64 // until that moment; zero: it is over, or not yet to come
	release chan struct{}
}

func (c *lateClock) Now() time.Time {
	now := c.Clock.Now()
	if c.calls.Load() > 0 && c.calls.Add(-1) == 0 {
		<-c.release
	}
	return now
}

func TestAChangeIsToldThoughItsWorkerReadTheClockLongAgo(t *testing.T) {
	for calls := range int64(2) { // it announces the change, and stamps it
		synctest.Test(t, func(t *testing.T) {
			late := &lateClock{Clock: clock.System(), release: make(chan struct{})}
			config := actors.Config{Clock: late, Workers: 2}
			config.Break(func(p *actors.Proposal) {
				if p.Conversation == "late:1" {
					late.calls.Store(calls + 1)
				}
			}, nil)
			e := actorstest.Start(t, config)
			e.Advance(time.Second) // what a start does has looked at the clock
			other := "other:1"
			for persistence.ShardOf(other)%2 == persistence.ShardOf("late:1")%2 { // on the other worker
				other += "x"
			}
			d := &device{user: "ann"}
			answer := make(chan error, 1)
			go func() {
				_, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "late:1", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
				answer <- err
			}()
			e.Advance(time.Second)
			e.Do(other, &conversation.Post{Seq: 1, Sender: "ann"})
			e.Advance(time.Second)
			syncAll(t, e, d)
			d.has(t, map[string]uint64{other: 1})
			close(late.release)
			if err := <-answer; err != nil {
				t.Fatal(err)
			}
			syncAll(t, e, d)
			d.has(t, map[string]uint64{"late:1": 1, other: 1})
		})
	}
}
