package badgerstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Rows of maintenance tests: few, but as large as it takes for several memtables. They do not compress.
const (
	bulkRows  = 11_600
	bulkValue = 8_000
	bulkBatch = 100
)

func bulkKey(n int) []byte { return binary.BigEndian.AppendUint32([]byte("xbulk"), uint32(n)) }

// bulkContent is the value of a row, each time that it is written anew.
func bulkContent(n, times int) []byte {
	value := make([]byte, bulkValue)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(times)}).Read(value) // never fails
	return value
}

// bulk writes rows, or deletes them.
func (s *subject) bulk(from, to int, remove bool) {
	s.Helper()
	for ; from < to; from += bulkBatch {
		s.bulkEvery(from, min(to, from+bulkBatch), 1, remove)
	}
}

// bulkEvery does so in one group, with each row at some distance from the one before.
func (s *subject) bulkEvery(from, to, distance int, remove bool) {
	s.Helper()
	g := persistence.Group{Shard: 1, Epoch: s.epoch}
	for n := from; n < to; n += distance {
		if remove {
			g.Deletes = append(g.Deletes, persistence.Delete{Key: bulkKey(n)})
		} else {
			g.Puts = append(g.Puts, persistence.Put{Key: bulkKey(n), Value: bulkContent(n, 0)})
		}
	}
	s.commit(persistence.Batch{Groups: []persistence.Group{g}})
}

// settled writes the rows and lets Badger's own compactions take them to the last level. Only for use in a bubble.
func (s *subject) settled() {
	s.Helper()
	// Each memtable has rows from everywhere, as those of an engine do: Badger compacts tables of level 0 together where they overlap.
	for first := range bulkRows / bulkBatch {
		s.bulkEvery(first, bulkRows, bulkRows/bulkBatch, false)
	}
	time.Sleep(5 * time.Second)
	if size := s.db.Levels()[lastLevel].Size; size < 32<<20 {
		s.Fatalf("only %d bytes are in the last level: the test shows nothing", size)
	}
}

func (s *subject) disk() Disk {
	s.Helper()
	d, err := s.Disk()
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// wantBulk has exactly those rows there, with what was written.
func (s *subject) wantBulk(snapshot persistence.Snapshot, from, to int) {
	s.Helper()
	n := from
	for row, err := range snapshot.Scan(s.Context(), persistence.PrefixRange([]byte("xbulk"))) {
		if err != nil {
			s.Fatal(err)
		}
		if n >= to || !bytes.Equal(row.Key, bulkKey(n)) || !bytes.Equal(row.Value, bulkContent(n, 0)) {
			s.Fatalf("row %q, or its value, where row %d of %d is expected", row.Key, n, to)
		}
		n++
	}
	if n != to {
		s.Fatalf("the rows end with %d, want %d", n, to)
	}
}

func (s *subject) snapshot() persistence.Snapshot {
	s.Helper()
	snapshot, err := s.Snapshot()
	if err != nil {
		s.Fatal(err)
	}
	return snapshot
}

func TestWhatWasDeletedIsGivenBackWithinTenMinutes(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
		small bool
	}{{"maintained", 0, true}, {"not maintained", -1, false}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: test.every})
				s.settled()
				full := s.disk()
				s.bulk(0, bulkRows-1_000, true)
				time.Sleep(10 * time.Minute)
				d := s.disk()
				if small := d.Bytes < full.Bytes/3; small != test.small {
					t.Errorf("%d bytes with all rows, %d with a tenth of them; %+v", full.Bytes, d.Bytes, d.Maintenance)
				}
				if ran := d.Maintenance.Runs > 0; ran != test.small {
					t.Errorf("%d runs", d.Maintenance.Runs)
				}
				if test.small && (d.Maintenance.Reclaimed < full.Bytes/2 || d.Maintenance.Failed != 0 || d.Maintenance.Running) {
					t.Errorf("%+v of %d bytes", d.Maintenance, full.Bytes)
				}
				snapshot := s.snapshot()
				defer snapshot.Close()
				s.wantBulk(snapshot, bulkRows-1_000, bulkRows)
			})
		})
	}
}

// TestNothingIsRunForNothing has maintenance look for an hour, at a store where nothing is deleted and at one where little is.
func TestNothingIsRunForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{NoSync: true})
		s.settled()
		s.bulk(0, bulkRows/20, true)
		time.Sleep(time.Hour)
		if m := s.disk().Maintenance; m.Runs != 0 {
			t.Errorf("%+v, want no run", m)
		}
	})
}

func TestASnapshotKeepsItsViewThroughMaintenanceAndHoldsItsRowsUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{NoSync: true})
		s.settled()
		full := s.disk()
		old := s.snapshot()
		s.bulk(0, bulkRows, true)
		if run, err := s.Reclaim(t.Context(), nil); err != nil || run.Steps == 0 { // takes the deletions to the last level, where they stay
			t.Fatalf("%+v, %v", run, err)
		}
		time.Sleep(10 * time.Minute)
		if d := s.disk(); d.Held < full.Live/2 || d.Reclaimable > d.Held/10 {
			t.Errorf("held %d, reclaimable %d; want nearly all of %d to be held", d.Held, d.Reclaimable, full.Live)
		}
		s.wantBulk(old, 0, bulkRows)
		latest := s.snapshot()
		s.wantBulk(latest, 0, 0)
		latest.Close()
		old.Close()
		// A newer snapshot is published. What is written is not among the rows, nor behind them: a table that spans them would be compacted with them.
		s.commit(s.batch("a"))
		time.Sleep(10 * time.Minute)
		if d := s.disk(); d.Bytes > full.Bytes/4 {
			t.Errorf("%d bytes of %d are left of what the snapshot held: %+v", d.Bytes, full.Bytes, d)
		}
	})
}

func TestAHostIsToldOfEachRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Run
		s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1, Maintained: func(run Run) { told = append(told, run) }})
		s.settled()
		s.bulk(0, bulkRows, true)
		var last, all int64
		run, err := s.Reclaim(t.Context(), func(done, total int64) {
			if done < last || done > total {
				t.Errorf("%d of %d after %d", done, total, last)
			}
			last, all = done, total
		})
		if err != nil || len(told) != 1 || told[0] != run || s.disk().Maintenance.Last != run {
			t.Errorf("%+v, %v; told of %+v", run, err, told)
		}
		if last != all || all == 0 {
			t.Errorf("the progress ended with %d of %d", last, all)
		}
		if run.Steps == 0 || run.Reclaimed() <= 32<<20 || run.Worked > run.Took {
			t.Errorf("%+v", run)
		}
	})
}

// atStep makes the next run call f before its n-th step, once.
func (s *subject) atStep(n int, f func()) {
	var steps atomic.Int64
	s.maintainer.step = func() {
		if steps.Add(1) == int64(n) {
			f()
		}
	}
}

// wasted returns a store in which there is much to give back.
func wasted(t *testing.T, o Options) *subject {
	t.Helper()
	o.NoSync, o.MaintainEvery = true, -1
	s := open(t, t.TempDir(), o)
	s.settled()
	s.bulk(0, bulkRows-1_000, true)
	return s
}

func TestWhatEndsARunEndsItAfterAStep(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(s *subject, cancel func(), others *sync.WaitGroup)
		want error
	}{
		"its context": {func(_ *subject, cancel func(), _ *sync.WaitGroup) { cancel() }, context.Canceled},
		"Close": {func(s *subject, _ func(), others *sync.WaitGroup) {
			others.Go(func() {
				if err := s.Close(); err != nil {
					s.Error(err)
				}
			})
			<-s.maintainer.closing
		}, persistence.ErrClosed},
		"a pause": {func(s *subject, _ func(), others *sync.WaitGroup) {
			others.Go(func() {
				resume, err := s.Pause(s.Context())
				if err != nil {
					s.Error(err)
					return
				}
				resume()
				resume()
			})
			synctest.Wait()
		}, ErrPaused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := wasted(t, Options{})
				dir := s.dir
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var others sync.WaitGroup
				s.atStep(2, func() { test.end(s, cancel, &others) })
				run, err := s.Reclaim(ctx, nil)
				others.Wait()
				if !errors.Is(err, test.want) || run.Steps != 2 {
					t.Errorf("%+v, %v; want it to end at step 2 with %v", run, err, test.want)
				}
				if s.reads.closed() {
					if _, err := s.Disk(); !errors.Is(err, persistence.ErrClosed) {
						t.Errorf("after Close: %v", err)
					}
					s = open(t, dir, Options{NoSync: true, MaintainEvery: -1})
				}
				snapshot := s.snapshot()
				s.wantBulk(snapshot, bulkRows-1_000, bulkRows)
				snapshot.Close()
				if run, err := s.Reclaim(t.Context(), nil); err != nil || run.After > 32<<20 {
					t.Errorf("the next run: %+v, %v", run, err)
				}
			})
		})
	}
}

func TestNoRunBeginsDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{NoSync: true})
		s.settled()
		resume, err := s.Pause(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.bulk(0, bulkRows, true)
		time.Sleep(10 * time.Minute)
		if m := s.disk().Maintenance; m.Runs != 0 || !m.Paused {
			t.Errorf("%+v, want no run", m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Pause(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a second pause: %v", err)
		}
		resume()
		time.Sleep(10 * time.Minute)
		if m := s.disk().Maintenance; m.Runs == 0 || m.Paused {
			t.Errorf("%+v, want a run after the pause", m)
		}
	})
}

func TestAStoreMayBeClosedWhileItIsPaused(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	resume, err := s.Pause(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	resume()
	if _, err := s.Reclaim(t.Context(), nil); !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("Reclaim: %v, want ErrClosed", err)
	}
	if _, err := s.Pause(t.Context()); !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("Pause: %v, want ErrClosed", err)
	}
}

func TestMaintenanceLeavesRoomForItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var free atomic.Uint64
		free.Store(math.MaxUint64)
		s := wasted(t, Options{FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
		s.atStep(1, func() { free.Store(stepReserve + 1<<20) })
		run, err := s.Reclaim(t.Context(), nil)
		if !errors.Is(err, persistence.ErrStoreFull) || run.Steps != 1 || run.Reclaimed() > 0 {
			t.Errorf("%+v, %v; want ErrStoreFull before anything was compacted", run, err)
		}
		if m := s.disk().Maintenance; m.Failed != 1 {
			t.Errorf("%+v, want a failure", m)
		}
	})
}

// TestCommitsGoOnDuringARun has a run wait at each of its steps until there were commits, and compares all rows afterwards.
func TestCommitsGoOnDuringARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wasted(t, Options{})
		written := 0
		s.maintainer.step = func() {
			if written < 2_000 {
				s.bulk(written, written+500, false)
				written += 500
			}
		}
		if run, err := s.Reclaim(t.Context(), nil); err != nil || written == 0 {
			t.Errorf("%+v, %v, and %d rows were written", run, err, written)
		}
		s.bulk(written, bulkRows-1_000, false)
		snapshot := s.snapshot()
		defer snapshot.Close()
		s.wantBulk(snapshot, 0, bulkRows)
	})
}

// TestARunYieldsToCommits fills level 0 in the middle of a run.
func TestARunYieldsToCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wasted(t, Options{})
		s.atStep(1, func() {
			for range crowded {
				if err := s.maintainer.stir(t.Context(), nil); err != nil {
					t.Error(err)
				}
			}
		})
		run, err := s.Reclaim(t.Context(), nil)
		if err != nil || !run.Yielded || run.Steps != 1 || s.disk().Maintenance.Failed != 0 {
			t.Errorf("%+v, %v; want it to yield before its first step", run, err)
		}
		time.Sleep(5 * time.Second)
		if n := s.db.Levels()[0].NumTables; n >= crowded {
			t.Errorf("%d tables are in level 0: Badger's own compactions do not go on", n)
		}
		if run, err := s.Reclaim(t.Context(), nil); err != nil || run.Yielded {
			t.Errorf("the next run: %+v, %v", run, err)
		}
	})
}

// TestStirringChangesNoRow compares all rows, those that maintenance writes again among them.
func TestStirringChangesNoRow(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1})
	s.bulk(0, 300, false)
	contents := func() map[string]string {
		snapshot := s.snapshot()
		defer snapshot.Close()
		rows := make(map[string]string)
		for row, err := range snapshot.Scan(t.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
			if err != nil {
				t.Fatal(err)
			}
			rows[string(row.Key)] = string(row.Value)
		}
		return rows
	}
	before := contents()
	touch := [][]byte{[]byte("xnobody"), nil, []byte("!badger!x"), persistence.OwnerKey(1), persistence.StoreKey(rowShards)}
	for n := range 300 {
		touch = append(touch, bulkKey(n))
	}
	f, err := measure(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.maintainer.stir(t.Context(), touch); err != nil {
		t.Fatal(err)
	}
	if after := contents(); !maps.Equal(before, after) {
		t.Errorf("%d rows before, other %d after", len(before), len(after))
	}
	if _, there := f.logged[f.newest]; !there || s.db.Levels()[0].NumTables != 1 {
		t.Errorf("%v and %d tables: want the memtable to be one", f.logged, s.db.Levels()[0].NumTables)
	}
	s.commit(s.batch("a")) // under the same epoch
}

func TestAStirThatCannotBeWrittenLeavesRowsAsTheyAre(t *testing.T) {
	var free atomic.Uint64
	free.Store(math.MaxUint64)
	s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	s.commit(s.batch("a"))
	free.Store(DefaultReserve)
	if err := s.maintainer.stir(t.Context(), [][]byte{[]byte("xa")}); !errors.Is(err, persistence.ErrStoreFull) {
		t.Errorf("%v, want ErrStoreFull", err)
	}
	s.want(true, "a")
}

func TestSeveralMayReclaimAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			if n%2 == 0 {
				if _, err := s.Reclaim(t.Context(), nil); err != nil && !errors.Is(err, ErrPaused) {
					t.Error(err)
				}
				return
			}
			resume, err := s.Pause(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			s.commit(s.batch(fmt.Sprint(n)))
			resume()
		})
	}
	all.Wait()
}
