package actors

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/persistence"
)

func TestStampsGrowAlongTheQueue(t *testing.T) {
	f := newCellFixture(t)
	var work sync.WaitGroup
	start := f.virtual.Now()
	work.Go(func() {
		for i := range 2000 {
			f.virtual.Advance(start.Add(time.Duration(i) * time.Microsecond))
		}
	})
	for range 4 {
		work.Go(func() {
			for range 500 {
				f.propose(0)
			}
		})
	}
	work.Wait()
	last := persistence.Instant(0)
	for i, m := range f.queue.take() {
		in, ok := m.(*intake)
		if !ok {
			t.Fatalf("message %d is a %T", i, m)
		}
		at := in.at
		if at < last || at < persistence.InstantOf(start) {
			t.Fatalf("message %d is stamped %d, the one before it %d", i, at, last)
		}
		last = at
	}
}

// counting is an actor that passivates as soon as it can, and sees to it that its cell runs one turn at a time and keeps each sender's order.
type counting struct {
	t       *testing.T
	cell    *cell
	running atomic.Int32
	handled map[uint64]uint64 // by sender: the number of the last message
	sealed  chan struct{}
}

func (c *counting) InvokeUserMessage(message any) {
	if c.running.Add(1) != 1 {
		c.t.Error("two turns of one cell ran at once")
	}
	defer c.running.Add(-1)
	switch m := message.(type) {
	case *intake:
		sender, number := m.proposal.Tag>>32, m.proposal.Tag&0xffffffff
		if last := c.handled[sender]; number != last+1 {
			c.t.Errorf("sender %d: proposal %d came after %d", sender, number, last)
		}
		c.handled[sender] = number
	case *passivation:
		if c.cell.trySeal() {
			close(c.sealed)
		} else {
			c.cell.leave()
		}
	}
}

func (c *counting) InvokeSystemMessage(any) {}

func (c *counting) EscalateFailure(reason, _ any) { c.t.Errorf("it panicked: %v", reason) }

func TestEveryOfferBeforeASealIsHandledAndNoneAfterIt(t *testing.T) {
	f := newCellFixture(t)
	w := startWorker(3) // more than a cell needs, so that it would show if it ran twice at once
	defer w.stop()
	f.shard.worker = w
	const senders, rounds, each = 4, 500, 50
	var inTime, tooLate atomic.Int64
	for round := range rounds {
		c := &cell{name: "group:1", shard: f.shard, phase: active}
		a := &counting{t: t, cell: c, handled: map[uint64]uint64{}, sealed: make(chan struct{})}
		c.RegisterHandlers(a, w)
		var accepts [senders]uint64
		var work, begun sync.WaitGroup
		begun.Add(1)
		begin := sync.OnceFunc(begun.Done)
		for sender := range uint64(senders) {
			work.Go(func() {
				defer begin()
				for number := uint64(1); number <= each; number++ {
					switch result := c.offer(proposalOf(sender<<32|number), 1<<20); result {
					case accepted:
						accepts[sender] = number
						inTime.Add(1)
						begin()
						runtime.Gosched()
					case wasSealed:
						tooLate.Add(1)
						return
					default:
						t.Errorf("offer: got %d", result)
						return
					}
				}
			})
		}
		if round%2 == 0 {
			begun.Wait() // in the other rounds the seal may come before all offers
		}
		c.leave()
		work.Wait()
		<-a.sealed
		if left := c.UserMessageCount(); left != 0 {
			t.Errorf("%d messages are in the sealed cell", left)
		}
		for sender, want := range accepts {
			if got := a.handled[uint64(sender)]; got != want {
				t.Errorf("sender %d: %d proposals were accepted, the last that was handled is %d", sender, want, got)
			}
		}
	}
	if inTime.Load() == 0 || tooLate.Load() == 0 {
		t.Errorf("%d offers came before a seal and %d after it: the test shows nothing", inTime.Load(), tooLate.Load())
	}
}
