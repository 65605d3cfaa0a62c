package actors_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// changed returns the stamp of a conversation's head in the store; zero: there is none.
func changed(t *testing.T, e *actorstest.Engine, name string) persistence.Instant {
	t.Helper()
	head, _, err := persistence.DecodeHead(stored(t, e.Store)[string(persistence.HeadKey(name))])
	if err != nil || head == nil {
		return 0
	}
	return head.Changed
}

func TestNothingIsSettledThatTheStoresClockHasNotReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:1", "ann", 1)
		e.Advance(time.Minute)
		if got, want := e.Settled(), e.Store.Meta().Clock; got != want || got < changed(t, e, "group:1") {
			t.Errorf("a minute after the last commit everything up to %d is settled, want %d, the store's clock", got, want)
		}
		e.Crash()
		if got, most := e.Settled(), e.Store.Meta().Clock; got > most {
			t.Errorf("after a crash everything up to %d is settled, want no more than %d", got, most)
		}
	})
}

func TestAChangeIsNotSettledBeforeItIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{FlushInterval: time.Hour})
		e.Advance(time.Minute)
		applied := ago(0)
		e.Send(&actors.Proposal{Conversation: "group:1", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: actors.AckApplied})
		e.Advance(time.Minute)
		e.Break(actorstest.WritesHang())
		go func() {
			_, _ = e.Propose(context.Background(), &actors.Proposal{Conversation: "group:2", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
		}()
		e.Advance(time.Minute)
		if got := e.Settled(); got > applied {
			t.Errorf("everything up to %d is settled, but a change of %d is not committed", got, applied)
		}
		e.Heal()
		e.Advance(time.Minute)
		if got := e.Settled(); got <= applied {
			t.Errorf("everything up to %d is settled, though the change of %d is committed", got, applied)
		}
	})
}

func TestADeletionIsNotSettledBeforeItIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:1", "ann", 1)
		resume := hold(e, func(f *persistencetest.Faults, stop func()) {
			f.BeforeCommit = func(b persistence.Batch) error {
				if deletes(b) {
					stop()
				}
				return nil
			}
		})
		during := e.Settled()
		resume()
		e.Advance(time.Minute)
		stamps := 0
		for key := range stored(t, e.Store) {
			if _, stamp, _, err := persistence.ParseRemovalKey([]byte(key)); err == nil {
				stamps++
				if persistence.Instant(stamp) < during {
					t.Errorf("while a removal with the stamp %d was written, everything up to %d was settled", stamp, during)
				}
			}
		}
		if stamps != 1 {
			t.Errorf("%d removals, want one", stamps)
		}
	})
}

// stoppingClock stops whoever asks next, once it has looked at the time.
type stoppingClock struct {
	clock.Clock

	next    atomic.Bool
	release chan struct{}
}

func (c *stoppingClock) Now() time.Time {
	now := c.Clock.Now()
	if c.next.CompareAndSwap(true, false) {
		<-c.release
	}
	return now
}

// A conversation looks at the clock, and is overtaken before anybody can know.
func TestAChangeIsNotSettledWhileItIsAppliedHoweverSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &stoppingClock{Clock: clock.System(), release: make(chan struct{})}
		config := actors.Config{Clock: c, Workers: 2}
		config.Break(func(p *actors.Proposal) {
			if p.Tag == 42 {
				c.next.Store(true)
			}
		}, nil)
		e := actorstest.Start(t, config)
		e.Post("group:slow", "ann", 1)
		other := "group:0" // of a shard that the other worker has
		for i := 0; persistence.ShardOf(other)%2 == persistence.ShardOf("group:slow")%2; i++ {
			other += "0"
		}
		e.Post(other, "ann", 1)
		done := make(chan actors.Reply, 1)
		go func() {
			r, _ := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:slow", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Tag: 42})
			done <- r
		}()
		e.Advance(time.Second)
		e.Post(other, "ann", 2) // moves the store's clock on
		settled := e.Settled()
		close(c.release)
		if r := <-done; r.Err != nil || !r.Changed {
			t.Fatalf("the slow post: %+v", r)
		}
		if got := changed(t, e, "group:slow"); got < settled {
			t.Errorf("a change has the stamp %d, though everything up to %d had been settled", got, settled)
		}
	})
}
