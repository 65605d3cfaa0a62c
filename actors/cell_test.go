package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/persistence"
)

func TestMessagesAreHandledInTheOrderOfTheirOffersWhateverThePhase(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.propose(1, 2) // waiting
	f.attach("first", &log)
	f.propose(3)
	var claim uint64
	f.actor.on = func(message any) {
		if m, ok := message.(*intake); ok && m.proposal.Tag == 2 && claim == 0 {
			claim = f.park(m, nothingAhead)
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
				claim = f.park(m, nothingAhead)
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
				*claim = f.park(m, nothingAhead)
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
			f.unpark(f.park(m, nothingAhead), &learned{}) // one more than the limit: it was accepted before
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
	f.phase, f.barred = quarantined, &quarantine{until: persistence.InstantOf(start.Add(time.Minute))}
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
	if next := f.shard.cells.find("group:1"); next == f.cell || next.UserMessageCount() != 1 {
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
	other := &cell{name: "group:2", shard: f.shard}
	other.phase = active
	other.RegisterHandlers(&invoked{log: &log, name: "other"}, f.shard.worker)
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
				claim = f.park(m, nothingAhead)
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

func TestASystemMessageForAnActorThatHasEndedIsDropped(t *testing.T) {
	f := newCellFixture(t)
	var log []string
	f.attach("a", &log)
	f.PostSystemMessage(&actor.Stop{})
	f.detach()
	f.settle()
}
