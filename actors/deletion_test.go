package actors_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// populate makes a conversation whose members have entries of every kind, and returns how many have a membership.
func populate(e *actorstest.Engine, name string, large bool) (members int) {
	e.Do(name, &conversation.Join{Users: []string{"ann", "bob", "cid", "dan", "eve"}})
	e.Post(name, "ann", 1)
	members = 5
	if large {
		join := &conversation.Join{}
		for i := range 70 {
			join.Users = append(join.Users, fmt.Sprintf("user%02d", i))
		}
		e.Do(name, join)
		members += 70
	}
	e.Advance(2 * time.Hour)
	pin := uint64(1)
	e.Set(name, conversation.Set{User: "bob", Pin: &pin})
	e.Do(name, &conversation.Leave{Users: []string{"cid"}, Keep: true})
	e.Do(name, &conversation.Leave{Users: []string{"dan"}})
	e.Retract(name, 1)
	return members
}

// wantDeleted requires that nothing is left of conversations but what devices may ask for, and a removal for each member.
func wantDeleted(t *testing.T, e *actorstest.Engine, generation uint64, members int) {
	t.Helper()
	removals := 0
	for key, value := range stored(t, e.Store) {
		switch kind := persistence.KindOf([]byte(key)); kind {
		case persistence.KindRemoval:
			removal, err := persistence.DecodeRemoval(value)
			if err != nil || uint64(removal.Generation) != generation || removal.Reason != persistence.ReasonExpired {
				t.Errorf("%q says %+v, %v; want that generation %d expired", key, removal, err, generation)
			}
			removals++
		case persistence.KindEntry:
			if _, entry, _, _, err := persistence.ParseEntryKey([]byte(key)); err != nil || entry != persistence.EntryOwn {
				t.Errorf("the entry %q is left", key)
			}
		case persistence.KindHead, persistence.KindEvent: // a tombstone, as Check knows
		default:
			t.Errorf("the row %q is left", key)
		}
	}
	if removals != members {
		t.Errorf("%d removals of %d members", removals, members)
	}
}

// ofParts is a config under which a conversation of five members goes in several parts.
func ofParts() actors.Config {
	config := actors.Config{Default: conversation.Policy{ExpireAfter: 10 * time.Hour}}
	config.Reaper = actors.ReaperConfig{BatchRows: 8}
	return config
}

func TestADeletionTakesTheEntriesOfAllMembersWithIt(t *testing.T) {
	for _, large := range []bool{false, true} {
		for _, rows := range []int{8, 10_000} {
			t.Run(fmt.Sprintf("large %v, batches of %d rows", large, rows), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					config := ofParts()
					config.Reaper.BatchRows = rows
					e := actorstest.Start(t, config)
					members := populate(e, "group:1", large)
					e.Advance(11 * time.Hour)
					expired := e.Expired()
					if len(expired) != 1 {
						t.Fatalf("expired: %+v", expired)
					}
					wantDeleted(t, e, expired[0].Generation, members)
				})
			})
		}
	}
}

// Nobody who has not left has it pinned then, so that of those nothing more than what all have is looked for.
func TestADeletionTakesWhatOneWhoLeftHasPinned(t *testing.T) {
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1, "bob", "cid")
		pin := uint64(1)
		e.Set("group:1", conversation.Set{User: "bob", Pin: &pin})
		e.Do("group:1", &conversation.Leave{Users: []string{"bob"}, Keep: true})
		e.Advance(time.Hour + time.Second)
		expired := e.Expired()
		if len(expired) != 1 {
			t.Fatalf("expired: %+v", expired)
		}
		wantDeleted(t, e, expired[0].Generation, 3)
	})
}

// From the first part on the due entry alone says where the entries of the members stand.
func TestADeletionThatIsResumedTakesTheEntriesWithIt(t *testing.T) {
	for _, large := range []bool{false, true} {
		for part := range 4 {
			t.Run(fmt.Sprintf("large %v, crash at commit %d", large, part), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := actorstest.Start(t, ofParts())
					members := populate(e, "group:1", large)
					commits := 0
					e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
						if len(b.Groups) > 0 && b.Groups[0].Requires != nil {
							if commits++; commits > part {
								return context.Canceled
							}
						}
						return nil
					}})
					e.Advance(10*time.Hour + time.Second)
					e.Check()
					e.Crash()
					e.Advance(time.Minute)
					expired := e.Expired()
					if commits <= part || len(expired) != 1 {
						t.Fatalf("%d commits before the crash, expired: %+v", commits, expired)
					}
					wantDeleted(t, e, expired[0].Generation, members)
				})
			})
		}
	}
}

// Some members are in the next generation while the one before is deleted part by part: their entries of that one stay, those of the old one go.
func TestARebirthBetweenThePartsKeepsItsOwnEntries(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for part := range 4 {
			t.Run(fmt.Sprintf("at commit %d, crash %v", part, crash), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := actorstest.Start(t, ofParts())
					populate(e, "group:1", false)
					commits := 0
					e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
						if len(b.Groups) > 0 && b.Groups[0].Requires != nil {
							if commits++; commits > part {
								return context.DeadlineExceeded
							}
						}
						return nil
					}})
					e.Advance(10*time.Hour + time.Second)
					r := e.Post("group:1", "ann", 2, "cid", "zoe")
					e.Check()
					e.Store.SetFaults(persistencetest.Faults{})
					if crash {
						e.Crash()
					}
					e.Advance(time.Minute)
					e.Check()
					if got := e.Expired(); len(got) != 1 || got[0].Generation >= r.Generation {
						t.Fatalf("expired: got %+v, want the generation before %d", got, r.Generation)
					}
					for _, user := range []string{"ann", "cid", "zoe"} {
						if list := e.List(user); len(list) != 1 || list[0].Generation != r.Generation {
							t.Errorf("%s is shown %+v, want the new generation", user, list)
						}
					}
					for _, user := range []string{"bob", "dan", "eve"} {
						if list := e.List(user); len(list) != 0 {
							t.Errorf("%s is shown %+v", user, list)
						}
					}
					for key := range stored(t, e.Store) {
						user, _, _, err := persistence.ParseRemovalKey([]byte(key))
						if err == nil && part == 0 && (user == "ann" || user == "cid") {
							t.Errorf("%s is back, and is told %q", user, key)
						}
					}
				})
			})
		}
	}
}
