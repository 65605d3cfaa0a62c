package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// counted returns what a census must find: all that is in the store.
func counted(t *testing.T, e *actorstest.Engine) map[persistence.Kind]actors.CensusOfKind {
	t.Helper()
	snapshot, err := e.Store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	kinds := map[persistence.Kind]actors.CensusOfKind{}
	for _, kind := range persistence.Kinds() {
		kinds[kind] = actors.CensusOfKind{}
	}
	for row, err := range snapshot.Scan(context.Background(), persistence.AllRows()) {
		if err != nil {
			t.Fatal(err)
		}
		of := kinds[persistence.KindOf(row.Key)]
		of.Rows++
		of.Bytes += uint64(len(row.Key) + len(row.Value))
		kinds[persistence.KindOf(row.Key)] = of
	}
	return kinds
}

func members(n int) (users []string) {
	for i := range n {
		users = append(users, fmt.Sprintf("user%04d", i))
	}
	return users
}

func TestACensusCountsWhatIsInTheStore(t *testing.T) {
	config := hourly()
	config.CensusEvery = time.Hour
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		for i := range 8 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1, members(900)...)
		}
		if c := e.Stats().Store.Census; !c.At.IsZero() || c.Kinds != nil {
			t.Errorf("before the first census: got %+v, want none", c)
		}
		e.Advance(30 * time.Second)
		want := counted(t, e)
		if rows := want[persistence.KindMember].Rows + want[persistence.KindMembership].Rows; rows < 10_000 {
			t.Fatalf("there are %d rows of members: the test shows nothing of several steps", rows)
		}
		c := e.Stats().Store.Census
		if diff := cmp.Diff(want, c.Kinds); diff != "" || c.Took <= 0 || c.Took > time.Minute || c.Age <= 0 || c.Age > 30*time.Second || c.Err != nil {
			t.Errorf("got at %v, %v old, in %v, %v (-want +got):\n%s", c.At, c.Age, c.Took, c.Err, diff)
		}
		e.Advance(3 * time.Hour)
		later := e.Stats().Store.Census
		if diff := cmp.Diff(counted(t, e), later.Kinds); diff != "" || later.Kinds[persistence.KindMember].Rows != 0 || later.Age > time.Hour {
			t.Errorf("after everything expired, %v old (-want +got):\n%s", later.Age, diff)
		}
	})
}

func TestACensusHoldsNoSnapshotForLongAndRests(t *testing.T) {
	var scans atomic.Int64
	config := actors.Config{CensusEvery: time.Minute}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		for i := range 8 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1, members(900)...)
		}
		longest := 0
		e.Store.SetFaults(persistencetest.Faults{Scan: func(r persistence.Range, yielded int) error {
			if string(r.End) == string(persistence.AllRows().End) {
				if yielded == 0 {
					scans.Add(1)
				}
				longest = max(longest, yielded)
			}
			return nil
		}})
		e.Advance(30 * time.Second)
		e.Heal()
		if c := e.Stats().Store.Census; scans.Load() < 4 || longest > 4_096 || c.Took < 30*time.Millisecond {
			t.Errorf("%d pieces of up to %d rows in %v; want several, none of more than 4,096, with a rest between them", scans.Load(), longest, c.Took)
		}
	})
}

func TestACensusGoesOnWhereTheStoreFailed(t *testing.T) {
	broken := errors.New("the disk does not answer")
	actorstest.Run(t, actors.Config{CensusEvery: time.Minute}, func(t *testing.T, e *actorstest.Engine) {
		for i := range 8 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1, members(900)...)
		}
		e.Store.SetFaults(persistencetest.Faults{Scan: func(_ persistence.Range, yielded int) error {
			if yielded == 3_000 {
				return broken
			}
			return nil
		}})
		e.Advance(30 * time.Second)
		if c := e.Stats().Store.Census; !errors.Is(c.Err, broken) || !c.At.IsZero() {
			t.Errorf("while the store fails: got %+v, want no census, and why", c)
		}
		e.Heal()
		e.Advance(30 * time.Second)
		c := e.Stats().Store.Census
		if diff := cmp.Diff(counted(t, e), c.Kinds); diff != "" || c.Err != nil {
			t.Errorf("afterwards: %v (-want +got):\n%s", c.Err, diff)
		}
	})
}

func TestWithoutACensusNobodyReadsTheStoreThrough(t *testing.T) {
	for _, every := range []time.Duration{0, -time.Second} {
		actorstest.Run(t, actors.Config{CensusEvery: every}, func(t *testing.T, e *actorstest.Engine) {
			e.Post("group:1", "ann", 1)
			e.Advance(24 * time.Hour)
			if c := e.Stats().Store.Census; !c.At.IsZero() {
				t.Errorf("every %v: got %+v, want none", every, c)
			}
		})
	}
}
