package actors_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

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
