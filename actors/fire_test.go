package actors_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
)

// underFire asks for a campaign that is longer than what every run has time for.
var underFire = flag.Int("fire", 0, "how many operations, at least, an engine is put under fire for; 0: as many as fit an ordinary run")

// fire is an engine to which everything happens at once, and what it must not forget of what it acknowledged.
type fire struct {
	*actorstest.Engine

	t         *testing.T
	rt        *rapid.T // of the step under way
	regime    int      // which of the policies hold
	kept      map[string]*acknowledged
	held      map[string]uint64          // by conversation: the generation that is surely held
	ended     map[string]uint64          // the latest generation that was deleted
	latest    map[string]uint64          // the latest generation that was begun
	forgotten map[string]bool            // users who were, and whom nothing named since
	retention map[string][]time.Duration // by namespace, under each regime
	told      int                        // of those deleted
	deaf      bool                       // reads may fail
	worn      bool                       // writes may
	tally     *tally
}

// acknowledged is the last post to a conversation that was answered as committed.
type acknowledged struct {
	generation, seq uint64
	touched         time.Time // by the engine's clock: when that, or what else moves its deadline, was asked for last
	until           time.Time // it is not over before
}

// packedInTests leaves a shard room for a few dozen conversations.
const packedInTests = 4 << 20

// packedOrNot returns a bound for what is packed; without, each conversation that something is proposed to gets an actor.
func packedOrNot(packed bool) int {
	if packed {
		return packedInTests
	}
	return -1
}

const (
	fireNames   = 12 // conversations, a quarter of them in each namespace
	firePending = 24 // MaxPending
	// longestRetention is longer than that of any namespace, with its jitter.
	longestRetention = 10 * time.Minute
	// allIsTried is how long after a store was healed everything is done that waited: quarantines end, timers find out that the machine was suspended.
	allIsTried = 2*time.Minute + 30*time.Second
)

func fireConfig(regime int, retention map[string][]time.Duration) actors.Config {
	return actors.Config{
		Namespaces: map[string]conversation.Policy{
			"group": {ExpireAfter: retention["group"][regime]},
			"idle":  {ExpireIdle: retention["idle"][regime], ExpireJitter: time.Second},
			"pins":  {ExpireAfter: retention["pins"][regime], KeepPinned: true},
			"age":   {ExpireAge: retention["age"][regime], ExpireAfter: longestRetention - time.Minute},
		},
		IdleAfter: time.Second, MaxActive: 4, MaxPackedBytes: packedOrNot(regime%2 == 1), EventsFor: time.Minute, SyncHorizon: 2 * time.Hour,
		Reaper: actors.ReaperConfig{BatchRows: 8, MaxPending: firePending},
	}
}

// tally counts what happened in all runs: a campaign in which something never happened would say nothing of it.
type tally struct {
	mu         sync.Mutex
	operations int
	happened   map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.operations++
	c.happened[what]++
}

// A state machine: conversations are posted to, touched, held, deleted and expire, users are forgotten, policies change and are applied, while the engine is restarted and killed between
// any two of its steps, the machine is suspended, its wall clock is stepped by a day, and the store fails, for good or only in what it answers. Whatever was acknowledged as
// committed is there for as long as its retention says so, no generation comes back, and after each pause the store agrees with itself, nothing overdue is left, nothing
// lives for ever; in the end nothing is left at all.
func TestNothingAcknowledgedIsLostAndNothingIsLeftUnderFire(t *testing.T) {
	shorten(t)
	count := &tally{happened: map[string]int{}}
	for began := time.Now(); ; {
		rapid.Check(t, func(rt *rapid.T) {
			inBubble(t, rt, func(t *testing.T) {
				t.Helper()
				f := newFire(t, rt, count)
				rt.Repeat(map[string]func(*rapid.T){
					"talk": f.as(f.talk), "talk more": f.as(f.talk), "talk on": f.as(f.talk), "pause": f.as(f.pause),
					"accident": f.as(f.accident), "order": f.as(f.order), "clock": f.as(f.clock), "settle": f.as(f.settle),
					"": f.as(f.look),
				})
				f.rt = rt
				f.finish()
			})
		})
		t.Logf("%d operations in %v: %v", count.operations, time.Since(began).Round(time.Second), count.happened)
		if count.operations >= *underFire {
			return
		}
	}
}

// shorten has rapid make no more checks in an ordinary run than there is time for, unless it was told how many.
func shorten(t *testing.T) {
	t.Helper()
	const ordinary, beside = "40", "4"
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); *underFire == 0 && before == checks.DefValue {
		t.Cleanup(func() { _ = checks.Value.Set(before) })
		want := ordinary
		if racing.Enabled {
			want = beside
		}
		if err := checks.Value.Set(want); err != nil {
			t.Fatal(err)
		}
	}
}

// inBubble runs one check in a bubble of its own, from which what rapid throws is passed on. A failure of the test is one of the check.
func inBubble(t *testing.T, rt *rapid.T, check func(*testing.T)) {
	t.Helper()
	var thrown any
	ok := t.Run("check", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			defer func() { thrown = recover() }()
			check(t)
		})
	})
	switch {
	case thrown != nil:
		panic(thrown) // it is rapid's own
	case !ok:
		rt.Fatal("the check failed: see above")
	}
}

func newFire(t *testing.T, rt *rapid.T, count *tally) *fire {
	t.Helper()
	f := &fire{
		t: t, rt: rt, tally: count, kept: map[string]*acknowledged{}, held: map[string]uint64{}, ended: map[string]uint64{}, latest: map[string]uint64{}, forgotten: map[string]bool{},
		retention: map[string][]time.Duration{
			"group": {10 * time.Second, 3 * time.Second, 40 * time.Second},
			"idle":  {8 * time.Second, 20 * time.Second, 2 * time.Second},
			"pins":  {4 * time.Minute, longestRetention - time.Minute, time.Minute},
			"age":   {30 * time.Second, 5 * time.Minute, 15 * time.Second},
		},
	}
	f.Engine = actorstest.Start(t, fireConfig(0, f.retention))
	return f
}

// as makes a step of the state machine an action of rapid's.
func (f *fire) as(step func()) func(*rapid.T) {
	return func(rt *rapid.T) {
		f.rt = rt
		step()
	}
}

// finish lets everything end. Nothing is left.
func (f *fire) finish() {
	f.settle()
	f.releaseAll()
	f.Advance(longestRetention + time.Minute)
	f.look()
	left := kinds(f.t, f.Engine)
	delete(left, persistence.KindRemoval)
	delete(left, persistence.KindEntry)
	if len(left) != 0 {
		f.t.Errorf("rows are left after everything expired, by kind: %v; want none but what devices may ask for", left)
	}
	f.Advance(5 * time.Hour) // the horizon, an hour, the rest of an entry's hour, and the time from one pass to the next
	if n := f.Rows(); n != 0 {
		f.t.Errorf("%d rows are left long after everything expired and was forgotten", n)
	}
}

// releaseAll ends what keeps conversations.
func (f *fire) releaseAll() {
	for i := range fireNames {
		name := fireName(i)
		if f.View(name, "") == nil {
			continue
		}
		f.Do(name, &conversation.Hold{})
		for _, user := range fireUsers {
			f.Do(name, &conversation.Set{User: user, Pin: new(uint64(0))})
		}
	}
	clear(f.held)
}

// one draws a number below n.
func (f *fire) one(label string, n int) int { return rapid.IntRange(0, n-1).Draw(f.rt, label) }

// upTo draws a time.
func (f *fire) upTo(label string, d time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(d/time.Millisecond)).Draw(f.rt, label)) * time.Millisecond
}

// source is a generator for the engine's goroutines, which rapid's is not for.
func (f *fire) source() func() float64 {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(f.rt, "seed"), 42))
	var mu sync.Mutex
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64()
	}
}

var fireUsers = []string{"ann", "bob", "cid", "dan", "eve"}

func (f *fire) user() string { return fireUsers[f.one("user", len(fireUsers))] }

func (f *fire) name() string { return fireName(f.one("conversation", fireNames)) }

func fireName(i int) string {
	return fmt.Sprintf("%s:%d", [...]string{"group", "idle", "pins", "age"}[i%4], i)
}
