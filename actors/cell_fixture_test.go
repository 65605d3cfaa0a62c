package actors

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/clock"
)

// cellFixture is a cell whose worker has no goroutine: the test runs its turns.
type cellFixture struct {
	*testing.T
	*cell

	virtual *clock.Virtual
	told    *mailslot // what the shard was told
	actor   *invoked  // the latest
}

// mailslot is a process that keeps what is sent to it.
type mailslot struct {
	mu       sync.Mutex
	messages []any
}

func (m *mailslot) SendUserMessage(_ *actor.PID, message any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = append(m.messages, message)
}

func (m *mailslot) SendSystemMessage(pid *actor.PID, message any) { m.SendUserMessage(pid, message) }
func (m *mailslot) Stop(*actor.PID)                               {}

func (m *mailslot) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.messages)
}

// invoked stands for an actor: it writes down what it was invoked with.
type invoked struct {
	log  *[]string
	name string
	on   func(message any) // called for each message of a user
}

func (i *invoked) InvokeUserMessage(message any) {
	*i.log = append(*i.log, fmt.Sprintf("%s: %s", i.name, label(message)))
	if i.on != nil {
		i.on(message)
	}
}

func (i *invoked) InvokeSystemMessage(message any) {
	*i.log = append(*i.log, fmt.Sprintf("%s: %T", i.name, message))
	if _, ok := message.(*actor.Watch); ok {
		panic("cannot watch")
	}
}

func (i *invoked) EscalateFailure(reason, message any) {
	*i.log = append(*i.log, fmt.Sprintf("%s: failed: %v in %s", i.name, reason, label(message)))
}

func label(message any) string {
	switch m := message.(type) {
	case *intake:
		return fmt.Sprint("proposal ", m.proposal.Tag)
	case *judgement:
		return fmt.Sprint("judgement ", m.generation)
	case *learned:
		return fmt.Sprint("learned ", m.users)
	}
	return fmt.Sprintf("%T", message)
}

func newCellFixture(t *testing.T) *cellFixture {
	t.Helper()
	f := &cellFixture{T: t, virtual: clock.NewVirtual(time.Unix(1, 0)), told: &mailslot{}}
	e := &Engine{clock: newClockwork(f.virtual, 0), system: newSystem()}
	t.Cleanup(e.system.Shutdown)
	e.config.MaxQueue = 1 << 20
	e.sweeper = &sweeper{engine: e, closed: true}
	s := &shard{engine: e, worker: startWorker(0), cells: newTable()}
	s.pid, _ = e.system.ProcessRegistry.Add(f.told, "shard")
	f.cell = s.cell("group:1", nil)
	return f
}

// offer puts a message into a cell's queue, as its shard does.
func (c *cell) offer(m queued, limit int) offered {
	result, due := c.take(m, limit)
	if due {
		c.shard.worker.push(c)
	}
	return result
}

func (s *shard) offer(name string, m queued) offered {
	result, ready := s.take(name, m)
	if ready != nil {
		s.worker.push(ready)
	}
	return result
}

// attach gives the cell an actor, as its shard does.
func (f *cellFixture) attach(name string, log *[]string) {
	f.mu.Lock()
	f.claim++
	f.phase = active
	f.mu.Unlock()
	f.actor = &invoked{log: log, name: name}
	f.RegisterHandlers(f.actor, f.shard.worker)
	f.Start()
}

// detach takes the actor off, as the shard does once it has ended.
func (f *cellFixture) detach() {
	f.mu.Lock()
	f.invoker = nil
	f.mu.Unlock()
}

// turn runs what is first in the worker's queue, and reports whether there was anything.
func (f *cellFixture) turn() bool {
	f.shard.worker.mu.Lock()
	if f.shard.worker.tasks.len() == 0 {
		f.shard.worker.mu.Unlock()
		return false
	}
	task := f.shard.worker.tasks.pop()
	f.shard.worker.mu.Unlock()
	task.run()
	return true
}

func (f *cellFixture) settle() {
	for f.turn() {
	}
}

func (f *cellFixture) propose(tags ...uint64) {
	f.Helper()
	for _, tag := range tags {
		f.wantOffer(proposalOf(tag), 1<<20, accepted)
	}
}

func proposalOf(tag uint64) *intake { return &intake{proposal: &Proposal{Tag: tag}} }

func (f *cellFixture) wantOffer(m queued, limit int, want offered) {
	f.Helper()
	if got := f.offer(m, limit); got != want {
		f.Errorf("offer of %s: got %d, want %d", label(m), got, want)
	}
}

func wantLog(t *testing.T, log []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("invoked: -want +got:\n%s", diff)
	}
}

// nothingAhead looks at nothing behind what is parked.
func nothingAhead(any) bool { return false }
