package actors_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
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

// commitLog is what a store committed of each conversation, in order.
type commitLog struct {
	mu   sync.Mutex
	next int
	// heads holds the places of all commits of a head, answered the last of those whose answer came, ends those of the ends of generations.
	heads    map[version][]int
	answered map[version]int
	ends     map[lifetime]int
}

type lifetime struct {
	conversation string
	generation   uint64
}

type version struct {
	lifetime

	version uint64
}

// note takes a commit down. One whose answer is lost may be told with that of any later version.
func (l *commitLog) note(b persistence.Batch, results []persistence.Result, answered bool) {
	if results == nil {
		return // it was logged
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range b.Groups {
		l.next++
		if results[i].Err != nil || results[i].Skipped {
			continue
		}
		for _, put := range b.Groups[i].Puts {
			if persistence.KindOf(put.Key) != persistence.KindHead {
				continue
			}
			name, _ := persistence.ParseHeadKey(put.Key)
			if head, _, _ := persistence.DecodeHead(put.Value); head != nil {
				v := version{lifetime{name, uint64(head.Generation)}, head.Version}
				l.heads[v] = append(l.heads[v], l.next)
				if answered {
					l.answered[v] = l.next
				}
			}
		}
		for _, encoded := range b.Groups[i].Events {
			if event, err := persistence.DecodeEvent(encoded); err == nil {
				if of := (lifetime{event.Conversation, uint64(event.Generation)}); l.ends[of] == 0 {
					l.ends[of] = l.next
				}
			}
		}
	}
}

// watched is an engine under random load whose watcher comes and goes.
type watched struct {
	*actorstest.Engine

	t      *testing.T
	random *rand.Rand
	log    commitLog
	ctx    context.Context // of all proposals
	asking sync.WaitGroup
	seqs   map[string]uint64
	told   *actorstest.Events
	seen   map[lifetime]bool // ends that were told
	stable bool              // the store does not fail
	gaps   int
	races  int // ends that were told beside changes of the next generation
}

// Random changes beside random ends, in a store that is slow and fails, through crashes and restarts: each end is told, and all is told in the order of the commits.
func TestNoEndIsMissedAndAllIsInOrderUnderFire(t *testing.T) {
	seeds := uint64(20)
	if racing.Enabled {
		seeds = 4
	}
	races := 0
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				f := &watched{
					t: t, random: rand.New(rand.NewPCG(seed, 7)), ctx: ctx, seqs: map[string]uint64{}, seen: map[lifetime]bool{}, stable: seed%2 == 0,
					log: commitLog{heads: map[version][]int{}, answered: map[version]int{}, ends: map[lifetime]int{}},
				}
				f.Engine = actorstest.Start(t, actors.Config{
					Default: conversation.Policy{ExpireAfter: 100 * time.Millisecond}, IdleAfter: time.Second, FlushInterval: 5 * time.Millisecond,
					Reaper: actors.ReaperConfig{BatchRows: 8}, WatchBuffer: 500, MaxPackedBytes: packedOrNot(seed/2%2 == 1),
				})
				f.slow()
				f.told = f.Events(actors.WatchQuery{})
				for range 600 {
					f.step()
				}
				f.calm()
				f.Advance(time.Minute)
				f.check()
				f.told.Resume()
				f.Advance(time.Minute)
				f.check()
				f.wantAllEnds()
				cancel()
				f.asking.Wait()
				races += f.races
			})
		})
	}
	if races == 0 {
		t.Error("no end was told beside changes of the next generation: the test shows nothing of their order")
	}
}

func (f *watched) step() {
	name := fmt.Sprintf("group:%d", f.random.IntN(6))
	switch n := f.random.IntN(1000); {
	case n < 600:
		f.post(name)
	case n < 970:
		time.Sleep(time.Duration(f.random.IntN(int(20 * time.Millisecond)))) // virtual: without waiting until all is quiet
	case n < 980:
		time.Sleep(200 * time.Millisecond) // virtual: long enough for a deadline to come
	case n < 990:
		f.check()
		f.told.Leave()
		time.Sleep(time.Duration(f.random.IntN(int(time.Second)))) // virtual: events go by while nobody watches
		f.told.Resume()
	case n < 995:
		f.again((*actorstest.Engine).Crash)
	default:
		f.again((*actorstest.Engine).Restart)
	}
}

func (f *watched) again(restart func(*actorstest.Engine)) {
	f.calm()
	f.told.Leave()
	f.check()
	restart(f.Engine)
	f.slow()
	f.told.Resume()
}

// post proposes something and does not wait for it.
func (f *watched) post(name string) {
	f.seqs[name]++
	p := &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: f.seqs[name], Sender: user(f.random)}}
	if f.random.IntN(3) == 0 {
		p.Change = &conversation.Read{User: user(f.random), Seq: f.seqs[name]}
	}
	if f.random.IntN(2) == 0 {
		p.Ack = actors.AckApplied
	}
	engine := f.Engine.Engine
	f.asking.Go(func() { _, _ = engine.Propose(f.ctx, p) })
}

// calm makes the store quick and good. What it commits is noted all the same: a log with holes in it would take a head that is written again for one that was just begun.
func (f *watched) calm() {
	f.Store.SetFaults(persistencetest.Faults{AfterCommit: func(b persistence.Batch, results []persistence.Result) error {
		f.log.note(b, results, true)
		return nil
	}})
}

// slow makes commits take time, so that much comes between them, and some of them fail.
func (f *watched) slow() {
	failing := errors.New("store failure")
	fails := func() bool { return !f.stable && rand.IntN(5) == 0 }
	f.Store.SetFaults(persistencetest.Faults{
		Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return time.Duration(rand.IntN(4)) * time.Millisecond
			}
			return 0
		},
		BeforeCommit: func(persistence.Batch) error {
			if fails() {
				return failing
			}
			return nil
		},
		AfterCommit: func(b persistence.Batch, results []persistence.Result) error {
			var err error
			if fails() {
				err = failing
			}
			f.log.note(b, results, err == nil)
			return err
		},
	})
}

// check holds what one watch was told against the commits.
func (f *watched) check() {
	f.t.Helper()
	synctest.Wait()
	events := f.told.Take()
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	after := map[lifetime]bool{}      // of which the end was told in this watch
	latest := map[string]uint64{}     // the generation of the last change
	changed := map[string][]version{} // what was told of a conversation so far
	for _, event := range events {
		of := lifetime{event.Conversation, event.Generation}
		switch {
		case event.Gap != nil && event.Gap.Expired:
			f.t.Errorf("a gap in what is durable: %+v", event)
		case event.Gap != nil:
			f.gaps++
		case event.Changed != nil:
			if after[of] || f.seen[of] {
				f.t.Errorf("a change of %v is told after its end: %+v", of, event.Changed)
			}
			if latest[of.conversation] > of.generation {
				f.t.Errorf("a change of %v is told after one of generation %d", of, latest[of.conversation])
			}
			v := version{of, event.Changed.Version}
			latest[of.conversation], changed[of.conversation] = of.generation, append(changed[of.conversation], v)
			for end := range after {
				if end.conversation == of.conversation && end.generation < of.generation {
					f.races++
					if at := f.log.answered[v]; at != 0 && at < f.log.ends[end] && readsNothing(event) {
						f.t.Errorf("%v was committed at %d of %v, before the end of %v at %d, and told after it", v, at, f.log.heads[v], end, f.log.ends[end])
					}
				}
			}
		default:
			if f.seen[of] {
				f.t.Errorf("the end of %v is told again", of)
			}
			f.seen[of], after[of] = true, true
			for _, v := range changed[of.conversation] {
				if v.generation <= of.generation {
					continue
				}
				f.races++
				if places := f.log.heads[v]; len(places) > 0 && f.log.ends[of] != 0 && places[0] > f.log.ends[of] {
					f.t.Errorf("%v was committed at %v, after the end of %v at %d, and told before it", v, places, of, f.log.ends[of])
				}
			}
		}
	}
}

// readsNothing reports whether the change moved the head: what else happened at that version may have been committed later.
func readsNothing(event actors.Event) bool {
	for _, kind := range event.Changed.Kinds {
		if kind != "post" {
			return false
		}
	}
	return true
}

// wantAllEnds holds what was told against the rows.
func (f *watched) wantAllEnds() {
	snapshot, err := f.Store.Snapshot()
	if err != nil {
		f.t.Fatal(err)
	}
	defer snapshot.Close()
	n := 0
	for shard := range persistence.Shard(persistence.Shards) {
		for row, err := range snapshot.Scan(f.t.Context(), persistence.EventsRange(shard, 0)) {
			if err != nil {
				f.t.Fatal(err)
			}
			event, err := persistence.DecodeEvent(row.Value)
			if err != nil {
				f.t.Fatal(err)
			}
			n++
			if of := (lifetime{event.Conversation, uint64(event.Generation)}); !f.seen[of] {
				f.t.Errorf("the end of %v was never told", of)
			}
		}
	}
	if n < 10 || n != len(f.seen) {
		f.t.Errorf("%d generations ended, the ends of %d were told", n, len(f.seen))
	}
	for _, info := range f.Expired() {
		if !f.seen[lifetime{info.Conversation, info.Generation}] {
			f.t.Errorf("%+v was observed and not told", info)
		}
	}
}

func user(r *rand.Rand) string { return fireUsers[r.IntN(len(fireUsers))] }
