package actors_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

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
					last := ago(age).Time() // what the row tells of is not younger than this
					if name == "entry" {
						last = last.Add(time.Hour)
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
		e.Advance(time.Second) // all of it is in the store
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
			e.Advance(time.Millisecond) // it is in the store
			if got, want := entries(), []persistence.Instant{persistence.InstantOf(time.Now().Truncate(time.Minute))}; !slices.Equal(got, want) {
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
