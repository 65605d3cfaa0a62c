package actors_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// ago returns an instant before the bubble's clock.
func ago(d time.Duration) persistence.Instant { return persistence.InstantOf(time.Now().Add(-d)) }

func removalKey(i int, age time.Duration) []byte {
	return persistence.RemovalKey(fmt.Sprintf("user%d", i), uint64(ago(age)), fmt.Sprintf("group:%d", i))
}

// ownKey is the key of the entry of a user's own change that is as old.
func ownKey(i int, age time.Duration) []byte {
	return persistence.EntryKey(fmt.Sprintf("user%d", i), persistence.EntryOwn, conversation.PeriodOf(ago(age)), fmt.Sprintf("group:%d", i))
}

// storeOf returns a store in which an engine left removals and entries of conversations that are gone.
func storeOf(t *testing.T, keys ...[]byte) *persistencetest.Store {
	t.Helper()
	store := persistencetest.NewStore()
	for i, key := range keys {
		value := persistence.Member{Generation: 1}.Encode()
		if persistence.KindOf(key) == persistence.KindRemoval {
			value = persistence.Removal{Generation: 1, Reason: persistence.ReasonExpired}.Encode()
		}
		if i == 0 {
			if _, err := store.Acquire(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		g := persistence.Group{Epoch: 1, Puts: []persistence.Put{{Key: key, Value: value}}}
		if results, err := store.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{g}}); err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
	}
	return store
}

func wantRows(t *testing.T, when string, store *persistencetest.Store, want ...[]byte) {
	t.Helper()
	var left, wanted []string
	for key := range stored(t, store) {
		left = append(left, key)
	}
	for _, key := range want {
		wanted = append(wanted, string(key))
	}
	slices.Sort(left)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, left); diff != "" {
		t.Fatalf("%s: the rows in the store (-want +got):\n%s", when, diff)
	}
}

// prunes reports whether a batch is one of the pruner's: it only deletes, and without asking for a due entry.
func prunes(b persistence.Batch) bool {
	return len(b.Groups) > 0 && !slices.ContainsFunc(b.Groups, func(g persistence.Group) bool {
		return g.Requires != nil || len(g.Puts) > 0 || len(g.Events) > 0
	})
}

// pruneConfig has a pass every hour.
func pruneConfig() actors.Config { return actors.Config{SyncHorizon: 30 * time.Hour} }

func TestARowIsPrunedOnceNoCursorAsksForItAndNotBefore(t *testing.T) {
	const horizon = 30 * time.Hour
	for name, key := range map[string]func(age time.Duration) []byte{
		"removal": func(age time.Duration) []byte { return removalKey(1, age) },
		"entry":   func(age time.Duration) []byte { return ownKey(1, age) },
	} {
		for _, age := range []time.Duration{0, time.Minute, 59*time.Minute + 59*time.Second, time.Hour, 90 * time.Minute} {
			t.Run(fmt.Sprintf("%s, %v old", name, age), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					row := key(age)
					last := time.Now().Add(-age) // what the row tells of is not younger than this
					if name == "entry" {
						last = conversation.PeriodOf(ago(age)).Time().Add(time.Hour)
					}
					e := actorstest.StartOn(t, storeOf(t, row), nil, actors.Config{SyncHorizon: horizon})
					e.Advance(time.Until(last.Add(horizon + time.Hour - time.Microsecond)))
					wantRows(t, "as long as a cursor may ask for it, and an hour", e.Store, row)
					e.Advance(time.Hour + time.Second) // the next pass
					wantRows(t, "after the next pass", e.Store)
					if got := e.Stats().Reaper; got.Pruned != 1 || got.Rows != 0 || got.Batches != 0 {
						t.Errorf("stats: got %+v, want one row pruned", got)
					}
				})
			})
		}
	}
}

func TestPruningLeavesAllOtherRowsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		e.Post("group:1", "ann", 1, "bob")
		e.Advance(2 * time.Hour)
		pin := uint64(1)
		e.Set("group:1", conversation.Set{User: "ann", Pin: &pin})
		e.Read("group:1", "bob", 1)
		e.Retract("group:1", 1) // a change of another sort than activity
		join := &conversation.Join{}
		for i := range 70 {
			join.Users = append(join.Users, fmt.Sprintf("user%d", i))
		}
		e.Do("group:large", join)
		e.Do("group:1", &conversation.Join{Users: []string{"cid"}})
		e.Do("group:1", &conversation.Leave{Users: []string{"cid"}, Keep: true})
		before := stored(t, e.Store)
		own := 0
		for key := range before {
			if persistence.KindOf([]byte(key)) != persistence.KindEntry {
				continue
			}
			if _, kind, _, _, err := persistence.ParseEntryKey([]byte(key)); err != nil || kind == persistence.EntryOwn {
				delete(before, key)
				own++
			}
		}
		if own == 0 {
			t.Fatal("there is no entry of a user's own change")
		}
		e.Advance(10 * 24 * time.Hour)
		after := stored(t, e.Store)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("what ten days of pruning left (-want +got):\n%s", diff)
		}
	})
}

func TestAMembershipWhoseEntryWasPrunedWritesANewOneWithItsNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		e.Post("group:1", "ann", 1, "bob")
		e.Post("group:1", "ann", 2)
		entries := func() (own []persistence.Instant) {
			for key := range stored(t, e.Store) {
				if persistence.KindOf([]byte(key)) != persistence.KindEntry {
					continue
				}
				if _, kind, at, _, _ := persistence.ParseEntryKey([]byte(key)); kind == persistence.EntryOwn {
					own = append(own, at)
				}
			}
			return own
		}
		for i, seq := range []uint64{1, 2} {
			e.Advance(10 * time.Minute)
			page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			e.Advance(10 * time.Minute)
			e.Read("group:1", "bob", seq)
			if got, want := entries(), []persistence.Instant{conversation.PeriodOf(ago(0))}; !slices.Equal(got, want) {
				t.Fatalf("after change %d the entries are of %v, want %v", i+1, got, want)
			}
			e.Advance(27 * time.Hour)
			if page, err = e.Sync(t.Context(), actors.SyncQuery{User: "bob", Cursor: page.Cursor}); err != nil || page.Full || len(page.Changed) != 1 {
				t.Fatalf("after change %d another device is told %+v, %v; want the conversation", i+1, page, err)
			}
			e.Advance(6 * time.Hour)
			if got := entries(); len(got) != 0 {
				t.Fatalf("long after change %d there are entries of %v", i+1, got)
			}
		}
	})
}

// batches watches over what the pruner writes.
type batches struct {
	mu     sync.Mutex
	sizes  []int
	faults []string
}

func (b *batches) watch(most int, horizon time.Duration) persistencetest.Faults {
	return persistencetest.Faults{BeforeCommit: func(batch persistence.Batch) error {
		if !prunes(batch) {
			return nil
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		rows, seen := 0, map[persistence.Shard]bool{}
		for _, g := range batch.Groups {
			if seen[g.Shard] {
				b.faults = append(b.faults, fmt.Sprintf("shard %d has two groups", g.Shard))
			}
			seen[g.Shard] = true
			for _, d := range g.Deletes {
				rows++
				b.judge(g.Shard, d.Key, ago(horizon+time.Hour))
			}
		}
		if rows > most {
			b.faults = append(b.faults, fmt.Sprintf("a batch of %d rows", rows))
		}
		b.sizes = append(b.sizes, rows)
		return nil
	}}
}

func (b *batches) judge(shard persistence.Shard, key []byte, limit persistence.Instant) {
	_, stamp, name, err := persistence.ParseRemovalKey(key)
	last := persistence.Instant(stamp)
	if err != nil {
		var kind persistence.EntryKind
		var at persistence.Instant
		_, kind, at, name, err = persistence.ParseEntryKey(key)
		last = at.Add(time.Hour)
		if err != nil || kind != persistence.EntryOwn {
			b.faults = append(b.faults, fmt.Sprintf("it removes %q", key))
			return
		}
	}
	if last > limit {
		b.faults = append(b.faults, fmt.Sprintf("%q is too young by %v", key, last.Sub(limit)))
	}
	if persistence.ShardOf(name) != shard {
		b.faults = append(b.faults, fmt.Sprintf("%q is removed as of shard %d", key, shard))
	}
}

// soFar returns the sizes of the batches up to now.
func (b *batches) soFar() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sizes)
}

func (b *batches) want(t *testing.T, rows int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		t.Error(fault)
	}
	sum := 0
	for _, n := range b.sizes {
		sum += n
	}
	if sum != rows {
		t.Errorf("%d rows were removed in batches of %v, want %d", sum, b.sizes, rows)
	}
}

func TestOldRowsGoInBatchesOfTheirShardsAndTheYoungStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, young [][]byte
		for i := range 300 {
			age := time.Duration(i) * 20 * time.Minute // up to a hundred hours
			all = append(all, removalKey(i, age), ownKey(i, age))
			if age < 31*time.Hour-10*time.Minute { // when the first pass comes
				young = append(young, removalKey(i, age))
			}
			if conversation.PeriodOf(ago(age)) >= conversation.PeriodOf(ago(31*time.Hour-10*time.Minute)) {
				young = append(young, ownKey(i, age))
			}
		}
		config := pruneConfig()
		config.Reaper = actors.ReaperConfig{BatchRows: 16}
		e := actorstest.StartOn(t, storeOf(t, all...), nil, config)
		var b batches
		e.Store.SetFaults(b.watch(16, config.SyncHorizon))
		e.Advance(15 * time.Minute)
		wantRows(t, "after the first pass", e.Store, young...)
		b.want(t, len(all)-len(young))
		if got := e.Stats().Reaper.Pruned; got != uint64(len(all)-len(young)) {
			t.Errorf("Stats.Reaper.Pruned: %d, want %d", got, len(all)-len(young))
		}
		sizes := b.soFar()
		for i, r := range e.Reaps() {
			if r.Generations != 0 || r.Rows != sizes[i] || r.Age < 31*time.Hour || r.Age > 102*time.Hour || r.Attempt != 1 || r.Err != nil {
				t.Errorf("batch %d of %d rows is told as %+v", i, sizes[i], r)
			}
		}
		e.Advance(34 * time.Hour)
		wantRows(t, "at last", e.Store)
		b.want(t, len(all))
	})
}

// scans notes when the pruner begins to read, and where.
type scans struct {
	mu     sync.Mutex
	starts []string
	at     []time.Time
}

func (s *scans) note(r persistence.Range, yielded int) error {
	if kind := persistence.KindOf(r.Start); yielded == 0 && (kind == persistence.KindRemoval || kind == persistence.KindEntry) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.starts, s.at = append(s.starts, string(r.Start)), append(s.at, time.Now())
	}
	return nil
}

func TestAPassIsMadeEveryThirtiethOfTheHorizonButNotMoreOftenThanEveryMinute(t *testing.T) {
	for horizon, want := range map[time.Duration][2]time.Duration{ // the first, and from one to the next
		0:                    {10 * time.Minute, 24 * time.Hour},
		30 * time.Hour:       {10 * time.Minute, time.Hour},
		time.Hour:            {2 * time.Minute, 2 * time.Minute},
		time.Minute:          {time.Minute, time.Minute},
		300 * 24 * time.Hour: {10 * time.Minute, 10 * 24 * time.Hour},
	} {
		t.Run(horizon.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := actorstest.Start(t, actors.Config{SyncHorizon: horizon})
				began := time.Now()
				e.Advance(time.Second) // the due index has been looked at
				var passes []time.Time
				e.Store.SetFaults(persistencetest.Faults{Snapshot: func() error { // one of removals, one of entries
					if now := time.Now(); len(passes) == 0 || passes[len(passes)-1] != now {
						passes = append(passes, now)
					}
					return nil
				}})
				e.Advance(want[0] + 3*want[1] + want[1]/2 - time.Second)
				e.Store.SetFaults(persistencetest.Faults{})
				if len(passes) != 4 || passes[0].Sub(began) != want[0] {
					t.Fatalf("passes began at %v, want 4, the first after %v", passes, want[0])
				}
				for i, at := range passes[1:] {
					if got := at.Sub(passes[i]); got < want[1] || got > want[1]+time.Second {
						t.Errorf("pass %d began %v after the one before, want %v", i+2, got, want[1])
					}
				}
			})
		})
	}
}

func TestPruningKeepsAQuarterOfTheReapersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows [][]byte
		for i := range 400 {
			rows = append(rows, removalKey(i, 100*time.Hour))
		}
		config := pruneConfig()
		config.Reaper = actors.ReaperConfig{BatchRows: 10, MinRowsPerSecond: 40, MaxRowsPerSecond: 40}
		e := actorstest.StartOn(t, storeOf(t, rows...), nil, config)
		e.Advance(10*time.Minute + 20*time.Second + 500*time.Millisecond)
		if got := e.Stats().Reaper.Pruned; got < 190 || got > 210 {
			t.Errorf("in twenty seconds at ten rows a second %d went, want 200", got)
		}
		if n := e.Store.OpenSnapshots(); n != 0 {
			t.Errorf("%d snapshots are open between two steps", n)
		}
		e.Advance(25 * time.Second)
		wantRows(t, "after twice the time", e.Store)
	})
}

func TestReadingIsPacedWhereThereIsNothingToRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows [][]byte
		for i := range 10_000 {
			rows = append(rows, removalKey(i, 0))
		}
		config := pruneConfig()
		config.Reaper = actors.ReaperConfig{MinRowsPerSecond: 1024, MaxRowsPerSecond: 1024}
		e := actorstest.StartOn(t, storeOf(t, rows...), nil, config)
		most := 0
		var s scans
		e.Store.SetFaults(persistencetest.Faults{Scan: func(r persistence.Range, yielded int) error {
			most = max(most, yielded)
			return s.note(r, yielded)
		}})
		e.Advance(30 * time.Minute)
		// 4,096 rows stand for 256 deletions: a second, at a quarter of the pace.
		if len(s.at) != 3 || s.at[1].Sub(s.at[0]) != time.Second || s.at[2].Sub(s.at[1]) != time.Second || most > 4_096 {
			t.Errorf("steps began at %v and read up to %d rows, want 3, a second apart", s.at, most)
		}
		wantRows(t, "in the end", e.Store, rows...)
	})
}

func TestAStoreThatFailsDelaysPruningAndLosesNothing(t *testing.T) {
	disk := errors.New("disk on fire")
	for name, faults := range map[string]persistencetest.Faults{
		"snapshot":    {Snapshot: func() error { return disk }},
		"scan":        {Scan: func(_ persistence.Range, yielded int) error { return failFrom(yielded, 7, disk) }},
		"commit":      {BeforeCommit: func(persistence.Batch) error { return disk }},
		"part":        {BeforeGroup: func(_ persistence.Batch, index int) error { return failFrom(index, 2, disk) }},
		"lost answer": {AfterCommit: func(persistence.Batch, []persistence.Result) error { return disk }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var rows [][]byte
				for i := range 50 {
					rows = append(rows, removalKey(i, 100*time.Hour), ownKey(i, 100*time.Hour))
				}
				config := pruneConfig()
				config.Reaper.BatchRows = 20
				e := actorstest.StartOn(t, storeOf(t, rows...), nil, config)
				e.Advance(9 * time.Minute)
				e.Store.SetFaults(faults)
				e.Advance(11 * time.Minute)
				stats := e.Stats().Reaper
				lasting := name == "snapshot" || name == "scan" || name == "commit" // of the others, a part is carried out each time
				if stats.Failures == 0 || stats.Failures > 11*60/2 || (lasting && !errors.Is(stats.Err, disk)) {
					t.Errorf("while the store fails: %d failures, %v; want some, further and further apart, that are told", stats.Failures, stats.Err)
				}
				failed := slices.DeleteFunc(e.Reaps(), func(r actors.ReapInfo) bool { return r.Err == nil })
				switch {
				case name == "snapshot" || name == "scan":
				case len(failed) < 2 || failed[1].Attempt < 2 && name != "lost answer" || !errors.Is(failed[1].Err, disk) || failed[1].Rows != 0:
					t.Errorf("the failures are told as %+v", failed)
				}
				e.Store.SetFaults(persistencetest.Faults{})
				e.Advance(10 * time.Second)
				wantRows(t, "ten seconds after it came back", e.Store)
				if err := e.Stats().Reaper.Err; err != nil {
					t.Errorf("Stats tells of %v, which is over", err)
				}
			})
		})
	}
}

func failFrom(n, from int, err error) error {
	if n >= from {
		return err
	}
	return nil
}

func TestAPassGoesOnWhereItWasWhenItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows [][]byte
		for i := range 100 {
			rows = append(rows, removalKey(i, 100*time.Hour))
		}
		slices.SortFunc(rows, bytes.Compare)
		config := pruneConfig()
		config.Reaper.BatchRows = 10
		e := actorstest.StartOn(t, storeOf(t, rows...), nil, config)
		commits := 0
		var s scans
		e.Store.SetFaults(persistencetest.Faults{Scan: s.note, BeforeCommit: func(persistence.Batch) error {
			if commits++; commits == 4 {
				return errors.New("once")
			}
			return nil
		}})
		e.Advance(11 * time.Minute)
		wantRows(t, "in the end", e.Store)
		third := string(rows[29]) + "\x00" // behind the last row of the third batch
		if len(s.starts) != 11 || s.starts[3] != third || s.starts[4] != third {
			t.Errorf("steps began at %q, want 11, the fourth twice", s.starts)
		}
	})
}

func TestARowThatCannotBeReadIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := []byte("rnobody")
		store := storeOf(t, bad, removalKey(1, 100*time.Hour))
		e, err := actors.Start(t.Context(), nil, store, pruneConfig()) // the store contradicts itself in the end
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute) // virtual: past the first pass
		synctest.Wait()
		wantRows(t, "in the end", store, bad)
		if got := e.Stats().Reaper; got.Failures != 1 || !errors.Is(got.Err, persistence.ErrKey) {
			t.Errorf("stats: got %+v, want one failure", got)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestStopEndsPruningAtAnyPointAndTheNextEngineGoesOn(t *testing.T) {
	var rows [][]byte
	for _, moment := range []string{"before a pass", "while it reads", "while it writes", "once it has written", "between two steps", "while it backs off"} {
		t.Run(moment, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rows = rows[:0]
				for i := range 50 {
					rows = append(rows, removalKey(i, 100*time.Hour))
				}
				config := pruneConfig()
				config.Reaper = actors.ReaperConfig{BatchRows: 10, MinRowsPerSecond: 4, MaxRowsPerSecond: 4} // ten seconds from one step to the next
				e := actorstest.StartOn(t, storeOf(t, rows...), nil, config)
				release := make(chan struct{})
				hold := func() {
					select {
					case <-release:
					default:
						<-release
					}
				}
				faults := persistencetest.Faults{}
				after := 10 * time.Minute
				switch moment {
				case "before a pass":
					after -= time.Second
				case "while it reads":
					faults.Scan = func(r persistence.Range, yielded int) error {
						if persistence.KindOf(r.Start) == persistence.KindRemoval && yielded == 5 {
							hold()
						}
						return nil
					}
				case "while it writes":
					faults.BeforeCommit = func(b persistence.Batch) error {
						if prunes(b) {
							hold()
						}
						return nil
					}
				case "once it has written":
					faults.AfterCommit = func(b persistence.Batch, _ []persistence.Result) error {
						if prunes(b) {
							hold()
						}
						return nil
					}
				case "between two steps":
					after += time.Second
				case "while it backs off":
					faults.BeforeCommit = func(b persistence.Batch) error {
						if prunes(b) {
							return errors.New("disk on fire")
						}
						return nil
					}
					after += time.Minute
				}
				e.Store.SetFaults(faults)
				e.Advance(after)
				failures := e.Stats().Reaper.Failures
				stopped := make(chan error, 1)
				go func() { stopped <- e.Stop(context.Background()) }()
				synctest.Wait()
				close(release)
				began := time.Now()
				if err := <-stopped; err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > 0 {
					t.Errorf("stopping took %v", took)
				}
				if got := e.Stats().Reaper.Failures; got != failures {
					t.Errorf("that it was stopped is told as a failure: %v", e.Stats().Reaper.Err)
				}
				pruned := e.Stats().Reaper.Pruned
				time.Sleep(24 * time.Hour) // virtual: no pass comes any more
				synctest.Wait()
				if got := uint64(50 - len(stored(t, e.Store))); got != pruned || pruned > 10 {
					t.Errorf("%d rows are gone a day after, %d were told", got, pruned)
				}
				e.Store.SetFaults(persistencetest.Faults{})
				e.Restart()
				e.Advance(12 * time.Minute)
				wantRows(t, "by the next engine", e.Store)
			})
		})
	}
}

func TestAnEngineThatIsFencedLearnsItWhenItPrunes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.StartOn(t, storeOf(t, removalKey(1, 100*time.Hour)), nil, pruneConfig())
		e.Fence()
		e.Advance(11 * time.Minute)
		<-e.Done()
		if !errors.Is(e.Err(), persistence.ErrFenced) {
			t.Errorf("the engine ended because of %v, want ErrFenced", e.Err())
		}
		wantRows(t, "of the new owner", e.Store, removalKey(1, 100*time.Hour+11*time.Minute))
	})
}

func TestACursorStaysGoodOnAStoreAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		e.Post("group:1", "ann", 1, "bob")
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob"})
		for day := range 20 {
			if err != nil || page.Full != (day == 0) {
				t.Fatalf("on day %d: full is %v, %v", day, page.Full, err)
			}
			e.Advance(24 * time.Hour)
			page, err = e.Sync(t.Context(), actors.SyncQuery{User: "bob", Cursor: page.Cursor})
		}
	})
}

func TestABusyStoresClockIsLeftToItsCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, pruneConfig())
		empty := 0
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if len(b.Groups) == 0 {
				empty++
			}
			return nil
		}})
		for i := range uint64(100) {
			e.Post("group:1", "ann", i+1)
			e.Advance(time.Hour - time.Minute)
		}
		if empty != 0 {
			t.Errorf("%d commits did no more than move the clock", empty)
		}
	})
}

// Expiries, changes of users' own and crashes for weeks: what is left is what is younger than the horizon, and in the end nothing.
func TestNothingOutdatedPilesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := pruneConfig()
		config.Default = conversation.Policy{ExpireAfter: 5 * time.Hour}
		config.EventsFor = 12 * time.Hour
		config.Reaper.BatchRows = 8
		e := actorstest.Start(t, config)
		most := 0
		for hour := range 300 {
			name := fmt.Sprintf("group:%d", hour%40)
			seq := uint64(hour + 1)
			e.Post(name, "ann", seq, "bob", "cid")
			e.Advance(30 * time.Minute)
			e.Read(name, "bob", seq)
			if hour%50 == 49 {
				e.Crash()
			}
			e.Advance(30 * time.Minute)
			if hour > 60 {
				most = max(most, len(stored(t, e.Store)))
			}
			for key := range stored(t, e.Store) {
				_, stamp, _, err := persistence.ParseRemovalKey([]byte(key))
				if err == nil && time.Since(persistence.Instant(stamp).Time()) > config.SyncHorizon+3*time.Hour {
					t.Fatalf("%q is still there", key)
				}
			}
		}
		// In 34 hours: three removals and one left entry each; a few alive, with all their rows; and events and tombstones.
		if most > 34*4+7*20+2*14 {
			t.Errorf("there were up to %d rows", most)
		}
		e.Advance(48 * time.Hour)
		if left := kinds(t, e); len(left) != 0 {
			t.Errorf("in the end rows are left, by kind: %v", left)
		}
	})
}
