package actors_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// rounds asks for a campaign that is longer than what every run has time for.
var rounds = flag.Uint64("rounds", 0, "how many rounds under fire; 0: as many as fit an ordinary run")

// fire is an engine to which everything happens at once, and what was acknowledged.
type fire struct {
	*actorstest.Engine

	t       *testing.T
	random  *rand.Rand
	posted  map[string]acknowledged
	retain  time.Duration
	expired int
}

// conversations is how many there are.
const conversations = 12

// acknowledged is the last post of a conversation that was answered as committed.
type acknowledged struct {
	generation, seq uint64
	at              time.Time
}

// Random changes, crashes, restarts, pauses and store errors, known and unknown outcomes among them. Whatever was acknowledged as committed is there as long as its retention
// says so, nothing is deleted before, the store never contradicts itself, and in the end nothing is left.
// packedInTests leaves a shard room for a few dozen conversations.
const packedInTests = 4 << 20

func TestNothingAcknowledgedIsLostAndNothingIsLeftUnderFire(t *testing.T) {
	seeds := uint64(30)
	switch {
	case *rounds > 0:
		seeds = *rounds
	case raceDetector:
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fire{t: t, random: rand.New(rand.NewPCG(seed, 42)), posted: map[string]acknowledged{}, retain: 10 * time.Second}
				f.Engine = actorstest.Start(t, actors.Config{
					Default: conversation.Policy{ExpireAfter: f.retain}, IdleAfter: time.Second, MaxActive: 4, MaxPackedBytes: int(seed%2) * packedInTests,
					EventsFor: time.Minute, Reaper: actors.ReaperConfig{BatchRows: 8}, SyncHorizon: 2 * time.Hour,
				})
				for range 400 {
					f.step()
				}
				f.Store.SetFaults(persistencetest.Faults{})
				f.Advance(time.Minute) // quarantines end
				for i := range conversations {
					f.Do(fmt.Sprintf("group:%d", i), &conversation.Hold{})
				}
				f.Advance(3 * time.Minute)
				left := kinds(t, f.Engine)
				delete(left, persistence.KindRemoval)
				delete(left, persistence.KindEntry)
				if len(left) != 0 {
					t.Errorf("rows are left after everything expired, by kind: %v; want none but what devices may ask for", left)
				}
				f.Advance(5 * time.Hour) // the horizon, an hour, the rest of an entry's hour, and the time from one pass to the next
				if n := f.Rows(); n != 0 {
					t.Errorf("%d rows are left long after everything expired and was forgotten", n)
				}
			})
		})
	}
}

func (f *fire) step() {
	name := fmt.Sprintf("group:%d", f.random.IntN(conversations))
	switch n := f.random.IntN(100); {
	case n < 45:
		f.post(name)
	case n < 70:
		f.change(name)
	case n < 85:
		f.Advance(time.Duration(f.random.IntN(int(2 * time.Second))))
	case n < 90:
		f.breakStore()
	case n < 94:
		f.Store.SetFaults(persistencetest.Faults{})
		f.Advance(3 * time.Second) // whatever waited to be tried again has been
		f.Check()
	case n < 97:
		f.Store.SetFaults(persistencetest.Faults{})
		f.Crash()
	default:
		f.Store.SetFaults(persistencetest.Faults{})
		f.Restart()
	}
	f.look(name)
}

func (f *fire) post(name string) {
	seq := f.posted[name].seq + 1 + uint64(f.random.IntN(2))
	ack := actors.AckCommitted
	if f.random.IntN(3) == 0 {
		ack = actors.AckApplied
	}
	before, began := f.View(name, ""), time.Now()
	r, _ := f.propose(name, &conversation.Post{Seq: seq, Sender: user(f.random), Members: []string{user(f.random), user(f.random)}}, 0, ack)
	if r.Err == nil && r.Ack == actors.AckCommitted && r.Changed && r.LastSeq == seq && (before == nil || before.LastSeq < seq) { // one that came late moves no deadline
		f.posted[name] = acknowledged{generation: r.Generation, seq: seq, at: began}
	}
}

func (f *fire) change(name string) {
	changes := []conversation.Change{
		&conversation.Read{User: user(f.random), Seq: 1 + uint64(f.random.IntN(20))},
		&conversation.Leave{Users: []string{user(f.random)}},
		&conversation.Join{Users: []string{user(f.random), user(f.random)}},
		&conversation.Clear{User: user(f.random), Seq: 1 + uint64(f.random.IntN(20)), Hide: true},
		&conversation.Post{Seq: f.posted[name].seq, Sender: user(f.random), Members: []string{user(f.random)}}, // a repeat, or an old one
		&conversation.Delete{},
		&conversation.Amend{Seq: 1 + uint64(f.random.IntN(5)), Retracted: true},
		&conversation.MarkUnread{User: user(f.random)},
		&conversation.Deliver{User: user(f.random), Seq: 1 + uint64(f.random.IntN(20))},
		&conversation.Set{User: user(f.random), Pin: new(f.random.Uint64N(2))},
		&conversation.Hold{On: f.random.IntN(2) == 0},
	}
	change := changes[f.random.IntN(len(changes))]
	if post, ok := change.(*conversation.Post); ok && post.Seq == 0 {
		return
	}
	generation := uint64(0)
	if _, ok := change.(*conversation.Delete); ok {
		generation = f.posted[name].generation
		delete(f.posted, name) // from here on it may be gone, whatever the answer is
	}
	_, _ = f.propose(name, change, generation, actors.AckDefault)
}

// propose gives up after a while, as callers do.
func (f *fire) propose(name string, change conversation.Change, generation uint64, ack actors.Ack) (actors.Reply, error) {
	ctx, cancel := withTimeout(f.t, time.Second)
	defer cancel()
	return f.Propose(ctx, &actors.Proposal{Conversation: name, Change: change, IfGeneration: generation, Ack: ack})
}

func (f *fire) breakStore() {
	failing := errors.New("store failure")
	rate := f.random.Float64()
	coin := func() error {
		if rand.Float64() < rate { // on the engine's goroutines, which f.random is not for
			return failing
		}
		return nil
	}
	faults := persistencetest.Faults{Latency: func(persistencetest.Op) time.Duration { return 3 * time.Millisecond }}
	if f.random.IntN(2) == 0 {
		faults.BeforeCommit = func(persistence.Batch) error { return coin() }
	} else {
		faults.AfterCommit = func(persistence.Batch, []persistence.Result) error { return coin() }
	}
	f.Store.SetFaults(faults)
}

// look checks what readers see of a conversation, and what has expired.
func (f *fire) look(name string) {
	f.t.Helper()
	want, ok := f.posted[name]
	if v := f.View(name, "ann"); v != nil && v.Membership != nil && v.Membership.Unread > v.LastSeq {
		f.t.Errorf("%s: ann has %d unread of %d", name, v.Membership.Unread, v.LastSeq)
	}
	v := f.View(name, "")
	if ok && time.Since(want.at) < f.retain && (v == nil || v.Generation < want.generation || (v.Generation == want.generation && v.LastSeq < want.seq)) {
		f.t.Fatalf("%s: got %+v, but generation %d, seq %d was acknowledged as committed %v ago", name, v, want.generation, want.seq, time.Since(want.at))
	}
	all := f.Expired()
	for _, info := range all[f.expired:] {
		if info.At.Before(info.Deadline) {
			f.t.Errorf("deleted before its deadline: %+v", info)
		}
	}
	f.expired = len(all)
}

func user(r *rand.Rand) string { return []string{"ann", "bob", "cid", "dan", "eve"}[r.IntN(5)] }
