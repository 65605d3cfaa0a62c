package actors_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// operations asks for a campaign that is longer than what every run has time for.
var operations = flag.Int("operations", 0, "how many operations to compare with the model; 0: as many as fit an ordinary run")

// histories asks for more histories than what every run has time for.
var histories = flag.Int("histories", 0, "how many short histories to fold syncs over; 0: as many as fit an ordinary run")

const (
	perSeed = 20_000 // operations on one engine
	maxJump = 2_000  // MaxSeqJump of all namespaces

	horizon     = 30 * 24 * time.Hour
	rememberFor = 200 * 24 * time.Hour // longer than any campaign
)

// campaign is an engine and a model to which the same happens.
type campaign struct {
	*actorstest.Engine

	t        *testing.T
	random   *rand.Rand
	names    []string
	focus    []string // whom something happens to at present; the others grow old
	accounts map[string]*account
	sources  map[string]*source
	seen     map[string]uint64 // the highest generation
	past     map[past]*account // generations that are over and not yet told of as deleted
	gone     []past            // those told of last
	devices  []*device
	backup   *backup
	trail    map[string][]fact
	tally    map[string]int // of what came of the proposals, and of what happened besides
	done     int
	barriers uint64

	mu      sync.Mutex
	expired []actors.ExpiredInfo
}

// Random changes to a dozen conversations, late, twice and out of order, with passivation, expiry, restarts and crashes in between: what readers see is at all times what
// the model says.
func TestReadersSeeWhatTheModelSays(t *testing.T) {
	total, each := 6*2_500, 2_500
	switch {
	case *operations > 0:
		total, each = *operations, min(*operations, perSeed)
	case racing.Enabled:
		total = 2 * each
	}
	var done atomic.Int64
	began, reported := time.Now(), atomic.Int64{}
	for seed := range (total + each - 1) / each {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newCampaign(t, uint64(seed)).run(each) })
			n, took := done.Add(int64(each)), time.Since(began)
			if last := reported.Load(); *operations > 0 && took.Milliseconds()-last > 10_000 && reported.CompareAndSwap(last, took.Milliseconds()) {
				t.Logf("%d of %d operations in %v, %.0f a second", n, total, took.Round(time.Second), float64(n)/took.Seconds())
			}
		})
	}
}

// Histories of a few steps each, so that there are many beginnings: whoever folds what syncs tell has the list.
func TestFoldedSyncsAreTheListAfterAnyHistory(t *testing.T) {
	total := *histories
	switch {
	case total > 0:
	case racing.Enabled:
		total = 40
	default:
		total = 300
	}
	const groups = 4
	for group := range groups {
		t.Run(fmt.Sprintf("group=%d", group), func(t *testing.T) {
			t.Parallel()
			for seed := group; seed < total; seed += groups {
				ok := t.Run(fmt.Sprintf("history=%d", seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { newCampaign(t, uint64(seed)+1_000_000).history(20 + seed%30) })
				})
				if !ok {
					return
				}
			}
		})
	}
}

func newCampaign(t *testing.T, seed uint64) *campaign {
	t.Helper()
	c := &campaign{
		t: t, random: rand.New(rand.NewPCG(seed, 7)), accounts: map[string]*account{}, sources: map[string]*source{}, seen: map[string]uint64{},
		past: map[past]*account{}, trail: map[string][]fact{}, tally: map[string]int{},
	}
	policies := map[string]conversation.Policy{
		"chat": {ExpireAfter: 300 * time.Millisecond, MaxSeqJump: maxJump},
		"room": {ExpireAfter: 40 * time.Millisecond, MaxSeqJump: maxJump, ReceiptsUpTo: 3},
		"keep": {MaxSeqJump: maxJump},
		"long": {ExpireAfter: 3 * time.Hour, MaxSeqJump: maxJump},
	}
	for _, namespace := range []string{"chat", "room", "keep", "long"} {
		// Few shards, so that conversations push each other out of memory.
		for i := 0; len(c.names) < map[string]int{"chat": 5, "room": 10, "keep": 12, "long": 15}[namespace]; i++ {
			name := fmt.Sprintf("%s:%d", namespace, i)
			if persistence.ShardOf(name)%64 != 7 {
				continue
			}
			c.names = append(c.names, name)
			c.accounts[name] = &account{policy: policies[namespace]}
			c.sources[name] = &source{Rand: c.random, name: name}
		}
	}
	c.Engine = actorstest.Start(t, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Second}, Namespaces: policies, Workers: 2, Loaders: 2, MaxActive: 4, MaxPackedBytes: packedOrNot(seed%2 == 1),
		IdleAfter:     4 * time.Millisecond,
		FlushInterval: 3 * time.Millisecond, EventsFor: rememberFor, SyncHorizon: horizon, Reaper: actors.ReaperConfig{BatchRows: 8},
		Observer: &actors.Observer{Expired: func(info actors.ExpiredInfo) {
			c.mu.Lock()
			c.expired = append(c.expired, info)
			c.mu.Unlock()
		}},
	})
	for i, user := range people {
		c.devices = append(c.devices, &device{user: user, limit: 1 + i})
	}
	return c
}

// history is a campaign of a few steps, in which more goes wrong than in a long one.
func (c *campaign) history(steps int) {
	c.focus = c.names
	for range steps {
		switch n := c.random.IntN(100); {
		case n < 60:
			c.propose(1+c.random.IntN(12), false)
		case n < 70:
			c.advance(time.Duration(c.random.IntN(100)) * time.Millisecond)
		case n < 80:
			c.accident()
		case n < 82:
			c.forget(people[c.random.IntN(len(people))])
		case n < 85:
			c.crash()
		case n < 88:
			c.note("restart")
			c.Restart()
		default:
			c.advance(time.Duration(c.random.IntN(8000)) * time.Microsecond)
		}
		c.sync()
		c.lookAtTheExpired()
	}
	c.Heal()
	c.Advance(time.Minute)
	for _, d := range c.devices {
		c.follow(d)
	}
}

func (c *campaign) run(operations int) {
	for c.done < operations {
		if c.random.IntN(40) == 0 || c.focus == nil {
			c.focus = nil
			for _, i := range c.random.Perm(len(c.names))[:4] {
				c.focus = append(c.focus, c.names[i])
			}
		}
		c.step()
	}
	for range 10 {
		if c.tally["forgotten"] == 0 { // which it seldom is in a short campaign
			c.forget(people[c.random.IntN(len(people))])
			c.step()
		}
	}
	c.finish()
}

func (c *campaign) step() {
	c.propose(1+c.random.IntN(30), false)
	switch n := c.random.IntN(1000); {
	case n < 500:
	case n < 850:
		c.advance(time.Duration(c.random.IntN(4000)) * time.Microsecond)
	case n < 950:
		c.advanceToADeadline()
	case n < 970:
		c.forget(people[c.random.IntN(len(people))])
	case n < 990:
		c.advance(time.Duration(c.random.IntN(100)) * time.Millisecond)
	case n < 995:
		c.note("restart")
		c.Restart()
		c.look(c.names...)
	default:
		c.crash()
	}
	if c.random.IntN(40) == 0 {
		c.accident()
	}
	if c.random.IntN(3) == 0 {
		c.lookAtAList(people[c.random.IntN(len(people))])
		c.lookAtABadge(people[c.random.IntN(len(people))])
	}
	c.sync()
	c.lookAtTheExpired()
}

func (c *campaign) advance(d time.Duration) {
	c.Advance(d)
	c.look(c.focus...)
}

// advanceToADeadline lets time go on to the very moment at which a conversation is over, or one microsecond off.
func (c *campaign) advanceToADeadline() {
	now := time.Now().UnixMicro()
	name := c.focus[c.random.IntN(len(c.focus))]
	a := c.accounts[name]
	if !a.alive(now) || a.deadline() == int64(persistence.Never) {
		return
	}
	c.advance(time.Duration(max(0, a.deadline()-now+int64(c.random.IntN(3))-1)) * time.Microsecond)
}

// crash ends the engine. What was proposed before the barrier is in the store: its commit covers all that was applied before. What is proposed after that, if anything, is
// certainly not, because the store stands still: the model goes back to the barrier.
func (c *campaign) crash() {
	c.t.Helper()
	c.Heal()
	c.barrier()
	kept := map[string]*account{}
	for _, name := range c.focus {
		kept[name] = c.accounts[name].copy()
	}
	if c.random.IntN(2) == 0 {
		c.note("the store stands still")
		c.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return time.Hour
			}
			return 0
		}})
		c.propose(1+c.random.IntN(12), true)
		c.sync() // devices are told what is going to be lost
	}
	c.note("crash")
	c.Crash()
	for name, a := range kept {
		if a.life != nil {
			delete(c.past, past{name, a.generation}) // what ended it was lost
		}
		c.accounts[name] = a
	}
	c.look(c.names...)
}

// barrier returns once everything that was applied is in the store.
func (c *campaign) barrier() {
	c.t.Helper()
	c.barriers++
	if r := c.Do("barrier:0", &conversation.Post{Seq: c.barriers, Sender: "host"}); r.Err != nil {
		c.t.Fatalf("a barrier: %v", r.Err)
	}
}

// finish lets everything end: nothing is left. A campaign in which something never happened would say nothing of that.
func (c *campaign) finish() {
	c.t.Logf("%d operations: %v", c.done, c.tally)
	for _, kind := range []string{"post", "amend", "join", "leave", "read", "deliver", "mark_unread", "clear", "set", "hold"} {
		if c.done > 1000 && (c.tally[kind+" changed"] == 0 || c.tally[kind+" repeated"] == 0) {
			c.t.Errorf("in %d operations no %s changed anything, or none was a repeat", c.done, kind)
		}
	}
	if c.done > 1000 && c.tally["forgotten"] == 0 {
		c.t.Errorf("in %d operations nobody was forgotten", c.done)
	}
	if c.done > 1000 && (c.tally["deleted"] == 0 || c.tally["delete held"] == 0) {
		c.t.Errorf("in %d operations nothing was deleted, or nothing was held", c.done)
	}
	for _, name := range c.names {
		c.Do(name, &conversation.Hold{})
		if v := c.View(name, ""); v != nil {
			_, _ = c.Propose(c.t.Context(), &actors.Proposal{Conversation: name, Change: &conversation.Delete{}, IfGeneration: v.Generation})
		}
	}
	c.Heal()
	c.Advance(time.Minute)
	c.Check()
	for _, d := range c.devices {
		for _, a := range c.accounts {
			a.life = nil
		}
		c.follow(d)
	}
	c.Advance(rememberFor + horizon)
	if n := c.rowsOfConversations(); n != 0 {
		c.t.Errorf("%d rows are left long after everything was deleted and forgotten", n)
	}
}

// rowsOfConversations counts what the reaper removes: not what is kept for clients that ask what changed.
func (c *campaign) rowsOfConversations() (n int) {
	snapshot, err := c.Store.Snapshot()
	if err != nil {
		c.t.Fatal(err)
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(c.t.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			c.t.Fatal(err)
		}
		switch persistence.KindOf(row.Key) {
		case persistence.KindOwner, persistence.KindStore, persistence.KindLineage, persistence.KindSweep, persistence.KindRemoval:
		case persistence.KindEntry:
			if _, kind, _, _, err := persistence.ParseEntryKey(row.Key); err != nil || kind != persistence.EntryOwn {
				n++
			}
		default:
			n++
		}
	}
	return n
}
