package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/persistence"
)

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
	s := settled(t, t.TempDir(), o)
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

// TestAStepNeedsRoomForTheLevelBelow has all but the latest rows in the last level, which level 0 of a small store is compacted into.
func TestAStepNeedsRoomForTheLevelBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1})
		const tables = 6 // one more than level 0 has before Badger compacts it
		for first := range tables {
			s.bulkEvery(first, 100*tables, tables, false)
			if err := s.maintainer.stir(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second) // virtual, and no wait: Badger's compactors look by the clock, and it tells nobody when they are done
		}
		levels := s.db.Levels()
		base := levels[lastLevel]
		if levels[0].NumTables == 0 || !base.IsBaseLevel || base.Size == 0 {
			t.Fatalf("%+v: the test shows nothing", levels)
		}
		needed := stepReserve + twice(levels[0].Size+base.Size)
		for free, full := range map[uint64]bool{needed - 1: true, needed: false} {
			room := s.stepSpace(Options{FreeSpace: func(string) (uint64, error) { return free, nil }})
			if err := room(); errors.Is(err, persistence.ErrStoreFull) != full {
				t.Errorf("%v with %d bytes free; want it refused: %v", err, free, full)
			}
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
		time.Sleep(5 * time.Second) // virtual: Badger's own compactions, if they go on
		if n := s.db.Levels()[0].NumTables; n >= crowded {
			t.Errorf("%d tables are in level 0: Badger's own compactions do not go on", n)
		}
		if run, err := s.Reclaim(t.Context(), nil); err != nil || run.Yielded {
			t.Errorf("the next run: %+v, %v", run, err)
		}
	})
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
