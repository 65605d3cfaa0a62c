package actors

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
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
	s := &shard{engine: e, worker: startWorker(0), cells: map[string]*cell{}}
	s.pid, _ = e.system.ProcessRegistry.Add(f.told, "shard")
	f.cell = s.cell("group:1", nil)
	return f
}

// attach gives the cell an actor, as its shard does.
func (f *cellFixture) attach(name string, log *[]string) {
	f.mu.Lock()
	f.claim++
	f.phase = active
	f.mu.Unlock()
	f.actor = &invoked{log: log, name: name}
	f.RegisterHandlers(f.actor, f.worker)
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
	f.worker.mu.Lock()
	if f.worker.tasks.len() == 0 {
		f.worker.mu.Unlock()
		return false
	}
	task := f.worker.tasks.pop()
	f.worker.mu.Unlock()
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

func TestMessagesAreHandledInTheOrderOfTheirOffersWhateverThePhase(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.propose(1, 2) // waiting
	f.attach("first", &log)
	f.propose(3)
	var claim uint64
	f.actor.on = func(message any) {
		if m, ok := message.(*intake); ok && m.proposal.Tag == 2 && claim == 0 {
			claim = f.park(m)
		}
	}
	f.settle()
	f.propose(4) // parked
	f.settle()
	f.PostSystemMessage(&actor.Stop{})
	f.propose(5) // ending
	f.settle()
	f.propose(6) // ended; the shard does not know yet
	f.detach()
	f.propose(7) // waiting
	f.settle()
	f.attach("second", &log)
	f.propose(8)
	f.settle()
	wantLog(
		t, log, "first: proposal 1", "first: proposal 2", "first: *actor.Stop",
		"second: proposal 2", "second: proposal 3", "second: proposal 4", "second: proposal 5", "second: proposal 6", "second: proposal 7", "second: proposal 8",
	)
}

func TestAParkedCellGoesOnWithWhatItWaitedForAndThenWithTheMessageThatNeedsIt(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("actor", &log)
	f.propose(1, 2)
	known := false
	var claim uint64
	f.actor.on = func(message any) {
		switch m := message.(type) {
		case *learned:
			known = true
		case *intake:
			if !known {
				claim = f.park(m)
			}
		}
	}
	f.settle()
	wantLog(t, log, "actor: proposal 1")
	f.unpark(claim, &learned{users: []string{"ann"}})
	f.unpark(claim, &learned{users: []string{"again"}}) // it has gone on already
	f.settle()
	wantLog(t, log, "actor: proposal 1", "actor: learned [ann]", "actor: proposal 1", "actor: proposal 2")
}

func TestWhatAnActorThatIsGoneWaitedForIsIgnored(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	parkAll := func() (claim *uint64) {
		claim = new(uint64)
		f.actor.on = func(message any) {
			if m, ok := message.(*intake); ok && *claim == 0 {
				*claim = f.park(m)
			}
		}
		return claim
	}
	f.attach("first", &log)
	f.propose(1)
	stale := parkAll()
	f.settle()
	f.PostSystemMessage(&actor.Stop{})
	f.settle()
	f.unpark(*stale, &learned{users: []string{"stopped"}})
	f.settle()
	f.detach()
	f.unpark(*stale, &learned{users: []string{"ended"}})
	f.attach("second", &log)
	fresh := parkAll()
	f.settle()
	f.unpark(*stale, &learned{users: []string{"parked anew"}})
	f.settle()
	wantLog(t, log, "first: proposal 1", "first: *actor.Stop", "second: proposal 1")
	if *stale == *fresh {
		t.Errorf("both actors parked with claim %d", *fresh)
	}
	f.unpark(*fresh, &learned{users: []string{"ann"}})
	f.settle()
	wantLog(t, log, "first: proposal 1", "first: *actor.Stop", "second: proposal 1", "second: learned [ann]", "second: proposal 1")
}

func TestACellIsSealedOnlyWhenItsQueueIsEmptyAndThenForGood(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.propose(1)
	if f.trySeal() {
		t.Fatal("sealed with a proposal in its queue")
	}
	f.attach("actor", &log)
	f.settle()
	if !f.trySeal() {
		t.Fatal("not sealed, though its queue is empty")
	}
	f.wantOffer(proposalOf(2), 1000, wasSealed)
	f.wantOffer(&judgement{}, 1000, wasSealed)
	f.leave()
	f.PostUserMessage(&learned{})
	f.unpark(f.claim, &learned{})
	f.settle()
	wantLog(t, log, "actor: proposal 1")
	if n := f.UserMessageCount(); n != 0 {
		t.Errorf("%d messages are in a sealed cell", n)
	}
	if next := f.shard.cell("group:1", f.cell); next == f.cell {
		t.Error("the table keeps a sealed cell in its place")
	}
}

func TestTheBoundOfAQueueCountsProposalsAlone(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	const limit = 3
	for tag := range uint64(limit) {
		f.wantOffer(&judgement{generation: 1}, limit, accepted)
		f.wantOffer(proposalOf(tag), limit, accepted)
	}
	f.wantOffer(proposalOf(9), limit, wasFull)
	f.wantOffer(&judgement{generation: 2}, limit, accepted)
	f.PostUserMessage(&learned{})
	if n := f.UserMessageCount(); n != 2*limit+2 {
		t.Errorf("%d messages are queued, want %d: what is refused leaves nothing behind", n, 2*limit+2)
	}
	f.attach("actor", &log)
	once := false
	f.actor.on = func(message any) {
		if m, ok := message.(*intake); ok && !once {
			once = true
			f.wantOffer(proposalOf(10), limit, accepted) // in its place
			f.wantOffer(proposalOf(11), limit, wasFull)
			f.unpark(f.park(m), &learned{}) // one more than the limit: it was accepted before
			f.wantOffer(proposalOf(11), limit, wasFull)
		}
	}
	f.settle()
	if got := f.proposals; got != 0 {
		t.Errorf("with an empty queue, %d proposals are counted", got)
	}
	for range limit {
		f.wantOffer(proposalOf(12), limit, accepted)
	}
	f.wantOffer(proposalOf(12), limit, wasFull)
}

func TestAQuarantinedCellRefusesUntilItsTimeAndThenMakesRoom(t *testing.T) {
	f := newCellFixture(t)
	start := f.virtual.Now()
	f.mu.Lock()
	f.phase, f.until = quarantined, persistence.InstantOf(start.Add(time.Minute))
	f.mu.Unlock()
	for _, passed := range []time.Duration{0, time.Minute - time.Microsecond} {
		f.virtual.Advance(start.Add(passed))
		f.wantOffer(proposalOf(1), 1000, wasQuarantined)
		f.wantOffer(&judgement{}, 1000, wasQuarantined)
	}
	if n := f.UserMessageCount(); n != 0 {
		t.Errorf("%d messages are in a quarantined cell", n)
	}
	f.virtual.Advance(start.Add(time.Minute))
	f.wantOffer(proposalOf(1), 1000, wasSealed)
	if got := f.shard.offer("group:1", proposalOf(1)); got != accepted {
		t.Errorf("an offer to its shard after the time: got %d, want it accepted by the next cell", got)
	}
	if next := f.shard.current("group:1"); next == f.cell || next.UserMessageCount() != 1 {
		t.Error("the proposal is not in a new cell")
	}
}

func TestSystemMessagesReachTheActorInEveryPhaseBeforeAllOthers(t *testing.T) {
	for _, p := range []phase{waiting, active, parked, quarantined, sealed} {
		t.Run(fmt.Sprint("phase ", p), func(t *testing.T) {
			f := newCellFixture(t)
			var log []string
			f.attach("actor", &log)
			f.propose(1)
			f.PostSystemMessage(&actor.Started{})
			f.mu.Lock()
			f.phase = p
			f.mu.Unlock()
			f.PostSystemMessage(&actor.Stop{})
			f.settle()
			// After a Stop the actor drops what it is given: the proposal stays for the next one.
			wantLog(t, log, "actor: *actor.Started", "actor: *actor.Stop")
			if n := f.UserMessageCount(); n != 1 {
				t.Errorf("%d messages are left, want 1", n)
			}
		})
	}
}

func TestANewActorGetsNothingThatWasMeantForTheOneBefore(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("first", &log)
	f.PostSystemMessage(&actor.SuspendMailbox{})
	f.settle()
	f.detach()
	f.PostSystemMessage(&actor.Stop{})
	f.settle()
	f.attach("second", &log)
	f.propose(1)
	f.settle()
	wantLog(t, log, "second: proposal 1")
}

func TestAPanicIsEscalatedWithItsMessageAndOthersWaitWhileTheCellIsSuspended(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("actor", &log)
	f.actor.on = func(message any) {
		if m, ok := message.(*intake); ok && m.proposal.Tag == 1 {
			f.PostSystemMessage(&actor.SuspendMailbox{}) // as protoactor does when it escalates
			panic(errors.New("on purpose"))
		}
	}
	f.propose(1, 2)
	f.settle()
	want := []string{"actor: proposal 1", "actor: failed: on purpose in proposal 1"}
	wantLog(t, log, want...)
	f.propose(3)
	f.PostSystemMessage(&actor.Watch{})
	f.settle()
	want = append(want, "actor: *actor.Watch", "actor: failed: cannot watch in *actor.Watch")
	wantLog(t, log, want...)
	f.PostSystemMessage(&actor.ResumeMailbox{})
	f.settle()
	wantLog(t, log, append(want, "actor: proposal 2", "actor: proposal 3")...)
}

func TestACellLetsOthersHaveTheirTurn(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("busy", &log)
	for tag := range uint64(3 * turnsBetweenYields) {
		f.propose(tag)
	}
	other := &cell{name: "group:2", shard: f.shard, worker: f.worker}
	other.phase = active
	other.RegisterHandlers(&invoked{log: &log, name: "other"}, f.worker)
	if got := other.offer(proposalOf(0), 1); got != accepted {
		t.Fatalf("offer: got %d", got)
	}
	f.settle()
	if at := slices.Index(log, "other: proposal 0"); at != turnsBetweenYields {
		t.Errorf("the other had its turn after %d messages of the busy one, want %d", at, turnsBetweenYields)
	}
	if got, want := len(log), 3*turnsBetweenYields+1; got != want {
		t.Errorf("%d messages were handled, want %d", got, want)
	}
}

func TestTheShardIsToldOnceThatAWaitingCellHasMessages(t *testing.T) {
	f := newCellFixture(t)
	f.leave()
	if got := f.told.count(); got != 0 {
		t.Errorf("told %d times of a wish of its own", got)
	}
	f.propose(1, 2, 3)
	if got := f.told.count(); got != 1 {
		t.Fatalf("told %d times, want once", got)
	}
	if m, ok := f.told.messages[0].(*activation); !ok || m.cell != f.cell {
		t.Errorf("told %#v, want the activation of the cell", f.told.messages[0])
	}
	var log []string
	f.attach("actor", &log)
	f.propose(4)
	if got := f.told.count(); got != 1 {
		t.Errorf("told %d times, though there is an actor", got)
	}
}

func TestACellThatShallLeaveIsAskedOnceItsQueueIsEmpty(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.leave() // there is nobody to ask
	f.attach("actor", &log)
	f.settle()
	wantLog(t, log)

	known := false
	var claim uint64
	f.actor.on = func(message any) {
		switch m := message.(type) {
		case *learned:
			known = true
		case *intake:
			if !known {
				claim = f.park(m)
			}
		}
	}
	f.propose(1, 2)
	f.leave()
	f.leave()
	f.settle()
	f.leave() // parked
	f.settle()
	wantLog(t, log, "actor: proposal 1")
	f.unpark(claim, &learned{users: []string{"ann"}})
	f.propose(3)
	f.settle()
	f.propose(4)
	f.settle()
	wantLog(
		t, log, "actor: proposal 1", "actor: learned [ann]", "actor: proposal 1", "actor: proposal 2", "actor: proposal 3",
		"actor: *actors.passivation", "actor: proposal 4",
	)
	f.leave()
	f.settle()
	if got := log[len(log)-1]; got != "actor: *actors.passivation" {
		t.Errorf("asked of an idle cell: the last it was invoked with is %s", got)
	}
}

func TestNoMessageIsNotAMessage(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("actor", &log)
	f.PostUserMessage(nil)
	f.PostUserMessage(&learned{})
	f.settle()
	wantLog(t, log, "actor: learned []")
}

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
	const senders, rounds, each = 4, 500, 50
	var inTime, tooLate atomic.Int64
	for range rounds {
		c := &cell{name: "group:1", shard: f.shard, worker: w, phase: active}
		a := &counting{t: t, cell: c, handled: map[uint64]uint64{}, sealed: make(chan struct{})}
		c.RegisterHandlers(a, w)
		var accepts [senders]uint64
		var work sync.WaitGroup
		for sender := range uint64(senders) {
			work.Go(func() {
				for number := uint64(1); number <= each; number++ {
					switch result := c.offer(proposalOf(sender<<32|number), 1<<20); result {
					case accepted:
						accepts[sender] = number
						inTime.Add(1)
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

func TestASystemMessageForAnActorThatHasEndedIsDropped(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("a", &log)
	f.PostSystemMessage(&actor.Stop{})
	f.detach()
	f.settle()
}
