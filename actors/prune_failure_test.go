package actors_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

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
