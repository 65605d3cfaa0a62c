package badgerstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/persistence"
)

func TestWhatWasDeletedIsGivenBackWithinTenMinutes(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
		small bool
	}{{"maintained", 0, true}, {"not maintained", -1, false}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := settled(t, t.TempDir(), Options{NoSync: true, MaintainEvery: test.every})
				full := s.disk()
				s.bulk(0, bulkRows-1_000, true)
				time.Sleep(10 * time.Minute) // virtual: what the store promises
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
		s.settle() // which tables of level 0 are deletions is not known of those that were there at the start
		s.bulk(0, bulkRows/20, true)
		time.Sleep(time.Hour) // virtual: a dozen looks
		if m := s.disk().Maintenance; m.Runs != 0 {
			t.Errorf("%+v, want no run", m)
		}
	})
}

func TestASnapshotKeepsItsViewThroughMaintenanceAndHoldsItsRowsUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settled(t, t.TempDir(), Options{NoSync: true})
		full := s.disk()
		old := s.snapshot()
		s.bulk(0, bulkRows, true)
		if run, err := s.Reclaim(t.Context(), nil); err != nil || run.Steps == 0 { // takes the deletions to the last level, where they stay
			t.Fatalf("%+v, %v", run, err)
		}
		time.Sleep(10 * time.Minute) // virtual: what is not held would be gone by then
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
		time.Sleep(10 * time.Minute) // virtual: what the store promises
		if d := s.disk(); d.Bytes > full.Bytes/4 {
			t.Errorf("%d bytes of %d are left of what the snapshot held: %+v", d.Bytes, full.Bytes, d)
		}
	})
}

func TestAHostIsToldOfEachRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Run
		s := settled(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1, Maintained: func(run Run) { told = append(told, run) }})
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

func TestNoRunBeginsDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settled(t, t.TempDir(), Options{NoSync: true})
		resume, err := s.Pause(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.bulk(0, bulkRows, true)
		time.Sleep(10 * time.Minute) // virtual: a run would have come
		if m := s.disk().Maintenance; m.Runs != 0 || !m.Paused {
			t.Errorf("%+v, want no run", m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Pause(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a second pause: %v", err)
		}
		resume()
		time.Sleep(10 * time.Minute) // virtual: the run comes
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
