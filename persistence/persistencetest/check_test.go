package persistencetest_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// world is the rows of a store.
type world map[string][]byte

func (w world) set(key, value []byte) { w[string(key)] = value }
func (w world) drop(key []byte)       { delete(w, string(key)) }

// member adds both rows of a membership.
func (w world) member(conversation, user string, generation persistence.Generation, left bool) {
	w.set(persistence.MemberKey(conversation, user), persistence.Member{Generation: generation}.Encode())
	w.set(persistence.MembershipKey(user, conversation), (&persistence.Membership{Generation: generation, Left: left}).Encode())
}

// roster adds a roster.
func (w world) roster(conversation string, generation persistence.Generation, users ...string) {
	w.set(persistence.RosterKey(conversation), (&persistence.Roster{Generation: generation, Version: 1, Users: users}).Encode())
}

// entry adds an entry.
func (w world) entry(user string, kind persistence.EntryKind, at persistence.Instant, conversation string, generation persistence.Generation) {
	w.set(persistence.EntryKey(user, kind, at, conversation), persistence.Member{Generation: generation}.Encode())
}

// check returns what Check finds in a store with these rows.
func (w world) check(t *testing.T) []error {
	t.Helper()
	store := persistencetest.NewStore()
	epochs, err := store.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	g := persistence.Group{Shard: 0, Epoch: epochs[0]}
	for key, value := range w {
		g.Puts = append(g.Puts, persistence.Put{Key: []byte(key), Value: value})
	}
	results, err := store.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{g}})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	return persistencetest.Check(t.Context(), snapshot)
}

const (
	live    = "a:live"
	ending  = "a:ending"
	forever = "a:forever"
	gone    = "a:gone"
	reborn  = "a:reborn"
	large   = "a:large"
)

func liveHead() *persistence.Head {
	return &persistence.Head{Generation: 3, Version: 1, LastSeq: 9, LoudSeq: 8, Deadline: 200, Due: 100, Members: 2, Ordered: 75, Changed: 80, Listed: 70, Noticed: 77}
}

func bobs() *persistence.Membership {
	return &persistence.Membership{Generation: 3, Pin: 1, Changed: 79, Noticed: 71}
}

func ended() []byte {
	return persistence.Due{Ended: &persistence.Ended{Reason: persistence.ReasonExpired, LastSeq: 4, Deadline: 50}}.Encode()
}

// good holds a conversation in each state that a consistent store can show.
func good() world {
	w := make(world)
	// Alive, due earlier than over, with a member who left.
	w.set(persistence.HeadKey(live), liveHead().Encode())
	w.set(persistence.TailKey(live), (&persistence.Tail{Generation: 3, Last: 9}).Encode())
	w.set(persistence.DueKey(live, 100, 3), nil)
	w.member(live, "ann", 3, false)
	w.member(live, "bob", 3, false)
	w.member(live, "cyd", 3, true)
	w.member(live, "dee", 3, true)
	w.roster(live, 3, "ann", "bob")
	w.entry("ann", persistence.EntryActive, 70, live, 3)
	w.entry("ann", persistence.EntryNoticed, 77, live, 3)
	w.entry("bob", persistence.EntryActive, 70, live, 3)
	w.entry("bob", persistence.EntryNoticed, 77, live, 3)
	// Pins it, and changed something of their own; an entry of the life before was not removed yet.
	w.set(persistence.MembershipKey("bob", live), bobs().Encode())
	w.entry("bob", persistence.EntryPinned, 0, live, 3)
	w.entry("bob", persistence.EntryOwn, 71, live, 3)
	w.entry("bob", persistence.EntryOwn, 7, live, 2)
	// Left, but keeps it.
	w.set(persistence.MembershipKey("dee", live), (&persistence.Membership{Generation: 3, Left: true, Keep: true, Frozen: 60, Changed: 61}).Encode())
	w.entry("dee", persistence.EntryMerged, 0, live, 3)
	// Large.
	w.set(persistence.HeadKey(large), (&persistence.Head{Generation: 4, Deadline: persistence.Never, Members: 1, Large: true}).Encode())
	w.member(large, "ann", 4, false)
	w.entry("ann", persistence.EntryMerged, 0, large, 4)
	// Its generation has ended, and some of its members are deleted already.
	w.set(persistence.HeadKey(ending), (&persistence.Head{Generation: 2, Deadline: 50, Due: 50, Members: 9}).Encode())
	w.set(persistence.DueKey(ending, 50, 2), ended())
	w.member(ending, "bob", 2, false)
	w.roster(ending, 2, "ann", "bob", "cyd")
	w.entry("bob", persistence.EntryActive, 1, ending, 2)
	// Never expires.
	w.set(persistence.HeadKey(forever), (&persistence.Head{Generation: 1, Deadline: persistence.Never}).Encode())
	// Deleted, with the event that says so.
	w.set(persistence.HeadKey(gone), persistence.Tombstone{Generation: 7, LastSeq: 4}.Encode())
	w.set(persistence.EventKey(persistence.ShardOf(gone), 1), (&persistence.Event{Conversation: gone, Generation: 7}).Encode())
	// In its next generation while the one before is being deleted.
	w.set(persistence.HeadKey(reborn), (&persistence.Head{Generation: 6, Deadline: 900, Due: 900, Members: 1}).Encode())
	w.set(persistence.DueKey(reborn, 900, 6), nil)
	w.set(persistence.DueKey(reborn, 40, 5), ended())
	w.member(reborn, "ann", 6, false)
	w.member(reborn, "bob", 5, false)
	w.roster(reborn, 6, "ann")
	w.entry("ann", persistence.EntryActive, 0, reborn, 6)
	w.entry("ann", persistence.EntryNoticed, 30, reborn, 5)
	w.entry("bob", persistence.EntryActive, 30, reborn, 5)
	w.entry("bob", persistence.EntryOwn, 30, gone, 7)
	w.set(persistence.RemovalKey("ann", 1, gone), persistence.Removal{Generation: 7}.Encode())
	return w
}

func TestCheckFindsNothingInAConsistentStore(t *testing.T) {
	for _, fault := range good().check(t) {
		t.Error(fault)
	}
}

// contradiction is something done to a good world, and what is then said of it.
type contradiction struct {
	rule     string
	do       func(w world)
	key      []byte // of the violation
	contains string
}

// missing is the contradiction of an entry that is not there.
func missing(rule string, key []byte) contradiction {
	return contradiction{rule, func(w world) { w.drop(key) }, key, "no such entry"}
}

// headed is the contradiction of a live head.
func headed(rule string, change func(h *persistence.Head), contains string) contradiction {
	return contradiction{rule, func(w world) {
		head := liveHead()
		change(head)
		w.set(persistence.HeadKey(live), head.Encode())
	}, persistence.HeadKey(live), contains}
}

// entered is the contradiction of an entry that is there.
func entered(rule, user string, kind persistence.EntryKind, at persistence.Instant, name string, generation persistence.Generation, contains string) contradiction {
	return contradiction{rule, func(w world) { w.entry(user, kind, at, name, generation) }, persistence.EntryKey(user, kind, at, name), contains}
}

// alone has the head of the reborn conversation say that it began alone.
func alone(w world) {
	w.set(persistence.HeadKey(reborn), (&persistence.Head{Generation: 6, Deadline: 900, Due: 900, Members: 1, Alone: true}).Encode())
}

func TestCheckNamesEachContradiction(t *testing.T) {
	for _, test := range []contradiction{
		{"a value that does not decode", func(w world) {
			w.set(persistence.TailKey(live), []byte{1, 2})
		}, persistence.TailKey(live), "malformed value"},
		{"a key of no kind", func(w world) { w.set([]byte("zzz"), nil) }, []byte("zzz"), "no row has such a key"},
		{"a row in the wrong shard", func(w world) {
			key := persistence.HeadKey("a:stray")
			key[2] ^= 1
			w.set(key, persistence.Tombstone{Generation: 1}.Encode())
		}, func() []byte { k := persistence.HeadKey("a:stray"); k[2] ^= 1; return k }(), "belongs under"},
		{"a name that is none", func(w world) {
			w.set(persistence.HeadKey("nocolon"), persistence.Tombstone{Generation: 1}.Encode())
		}, persistence.HeadKey("nocolon"), "the conversation's name"},
		{"a head due after its deadline", func(w world) {
			head := liveHead()
			head.Deadline = 99
			w.set(persistence.HeadKey(live), head.Encode())
		}, persistence.HeadKey(live), "after its deadline"},
		{"a head with a deadline and nothing due", func(w world) {
			head := liveHead()
			head.Due = 0
			w.set(persistence.HeadKey(live), head.Encode())
			w.drop(persistence.DueKey(live, 100, 3))
		}, persistence.HeadKey(live), "nothing is due"},
		{"a missing due entry", func(w world) { w.drop(persistence.DueKey(live, 100, 3)) }, persistence.DueKey(live, 100, 3), "no such due entry"},
		{"two due entries of a generation", func(w world) {
			w.set(persistence.DueKey(reborn, 41, 5), ended())
		}, persistence.DueKey(reborn, 41, 5), "another due entry"},
		{"a due entry at another time than the head's", func(w world) {
			head := liveHead()
			head.Due, head.Deadline = 0, persistence.Never
			w.set(persistence.HeadKey(live), head.Encode())
		}, persistence.DueKey(live, 100, 3), "is due at"},
		{"a due entry of an older generation that does not say how that ended", func(w world) {
			w.set(persistence.DueKey(reborn, 40, 5), nil)
			w.drop(persistence.MemberKey(reborn, "bob"))
			w.drop(persistence.MembershipKey("bob", reborn))
		}, persistence.DueKey(reborn, 40, 5), "does not say how it ended"},
		{"a due entry of a generation that never was", func(w world) {
			w.set(persistence.DueKey(forever, 40, 2), ended())
		}, persistence.DueKey(forever, 40, 2), "has no generation 2"},
		{"a tail of another generation", func(w world) {
			w.set(persistence.TailKey(reborn), (&persistence.Tail{Generation: 5}).Encode())
		}, persistence.TailKey(reborn), "the tail has generation 5"},
		{"a wrong number of members", func(w world) { w.member(live, "dan", 3, false) }, persistence.HeadKey(live), "counts 2 members, there are 3"},
		{"a member without a membership", func(w world) {
			w.set(persistence.MemberKey(live, "eve"), persistence.Member{Generation: 3}.Encode())
		}, persistence.MemberKey(live, "eve"), "no membership"},
		{"a membership that is not listed", func(w world) {
			w.drop(persistence.MemberKey(live, "bob"))
		}, persistence.MembershipKey("bob", live), "no member row"},
		{"two halves of different generations", func(w world) {
			w.set(persistence.MemberKey(reborn, "ann"), persistence.Member{Generation: 5}.Encode())
		}, persistence.MemberKey(reborn, "ann"), "has a membership of generation 6"},
		{"rows of a generation that is gone", func(w world) { w.drop(persistence.DueKey(reborn, 40, 5)) }, persistence.MemberKey(reborn, "bob"), "is gone"},
		{"rows of a generation that the next one began without", alone, persistence.MemberKey(reborn, "bob"), "generation 5 of \"a:reborn\" is left"},
		{"an entry of a generation that the next one began without", alone, persistence.EntryKey("bob", persistence.EntryActive, 30, reborn), "has left this entry"},
		{"rows without any head", func(w world) {
			w.set(persistence.TailKey("a:none"), (&persistence.Tail{Generation: 1}).Encode())
		}, persistence.TailKey("a:none"), "is gone"},
		{"rows of a later generation than the head's", func(w world) { w.member(gone, "ann", 8, false) }, persistence.MemberKey(gone, "ann"), "later than the latest"},
		{"a generation that expired twice", func(w world) {
			w.set(persistence.EventKey(persistence.ShardOf(gone), 2), (&persistence.Event{Conversation: gone, Generation: 7}).Encode())
		}, persistence.EventKey(persistence.ShardOf(gone), 2), "expired before"},
		{"an expired generation that lives", func(w world) {
			w.set(persistence.EventKey(persistence.ShardOf(forever), 2), (&persistence.Event{Conversation: forever, Generation: 1}).Encode())
		}, persistence.EventKey(persistence.ShardOf(forever), 2), "but the head has generation 1"},
		{"an event in the wrong shard", func(w world) {
			w.set(persistence.EventKey(persistence.ShardOf(gone)^1, 2), (&persistence.Event{Conversation: gone, Generation: 6}).Encode())
		}, persistence.EventKey(persistence.ShardOf(gone)^1, 2), "belongs to shard"},
		missing("a member of a small roster without the entry of their list", persistence.EntryKey("ann", persistence.EntryActive, 70, live)),
		{"an entry at another time than the head's", func(w world) {
			w.drop(persistence.EntryKey("ann", persistence.EntryActive, 70, live))
			w.entry("ann", persistence.EntryActive, 69, live, 3)
		}, persistence.EntryKey("ann", persistence.EntryActive, 69, live), "should not have this entry"},
		{"an entry of an older generation in the place of one of this", func(w world) {
			w.entry("ann", persistence.EntryActive, 70, live, 2)
		}, persistence.EntryKey("ann", persistence.EntryActive, 70, live), "generation 3 of \"a:live\" has no such entry"},
		headed("entries that stand too long before the last activity", func(h *persistence.Head) { h.Ordered = h.Listed + persistence.EntryReach }, "does not reach its last activity"),
		headed("entries that stand behind the last activity", func(h *persistence.Head) { h.Ordered = h.Listed - 1 }, "does not reach its last activity"),
		headed("entries that stand too long before the last change", func(h *persistence.Head) { h.Changed = h.Noticed + persistence.EntryReach }, "does not reach its last change"),
		missing("a member who is not led to a later change of the head", persistence.EntryKey("bob", persistence.EntryNoticed, 77, live)),
		{"an entry of a change that no head has", func(w world) {
			head := liveHead()
			head.Noticed = 0
			w.set(persistence.HeadKey(live), head.Encode())
		}, persistence.EntryKey("bob", persistence.EntryNoticed, 77, live), "should not have this entry"},
		missing("a pin that is not listed", persistence.EntryKey("bob", persistence.EntryPinned, 0, live)),
		entered("a listed pin that is none", "ann", persistence.EntryPinned, 0, live, 3, "should not have this entry"),
		entered("an entry of one who left", "cyd", persistence.EntryActive, 70, live, 3, "should not have this entry"),
		missing("a kept conversation that cannot be found", persistence.EntryKey("dee", persistence.EntryMerged, 0, live)),
		entered("an entry that says to look at a head which is not large", "ann", persistence.EntryMerged, 0, live, 3, "should not have this entry"),
		missing("a large conversation that cannot be found", persistence.EntryKey("ann", persistence.EntryMerged, 0, large)),
		entered("an entry of the user's own that the membership does not know", "bob", persistence.EntryOwn, 72, live, 3, "does not know this entry"),
		entered("an entry of the user's own without a membership", "eve", persistence.EntryOwn, 72, live, 3, "does not know this entry"),
		entered("an entry of a generation that is gone", "ann", persistence.EntryActive, 7, gone, 7, "should not have this entry"),
		entered("an entry of no kind", "ann", 'z', 7, live, 3, "malformed key"),
		{"a roster that misses a member", func(w world) { w.roster(live, 3, "ann") }, persistence.RosterKey(live), "the members are [\"ann\" \"bob\"]"},
		{"a roster that names one who left", func(w world) { w.roster(live, 3, "ann", "bob", "cyd") }, persistence.RosterKey(live), "the members are [\"ann\" \"bob\"]"},
		{"a roster out of order", func(w world) { w.roster(live, 3, "bob", "ann") }, persistence.RosterKey(live), "the members are [\"ann\" \"bob\"]"},
		{"no roster", func(w world) { w.drop(persistence.RosterKey(live)) }, persistence.RosterKey(live), "the roster of generation 3 is []"},
		{"a large conversation with a roster", func(w world) { w.roster(large, 4, "ann") }, persistence.RosterKey(large), "the members are []"},
		{"a roster of a generation that is gone", func(w world) { w.roster(gone, 7, "ann") }, persistence.RosterKey(gone), "is gone"},
		{"a removal that does not decode", func(w world) {
			w.set(persistence.RemovalKey("ann", 1, gone), []byte{1})
		}, persistence.RemovalKey("ann", 1, gone), "malformed value"},
		{"a lineage that does not decode", func(w world) { w.set(persistence.LineageKey(), []byte{1}) }, persistence.LineageKey(), "malformed value"},
		{"an event with a number that is yet to be given", func(w world) {
			w.set(persistence.EventKey(0, 2), (&persistence.Event{Conversation: zeroth(), Generation: 6}).Encode())
		}, persistence.EventKey(0, 2), "next event would have the number 1"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			w := good()
			test.do(w)
			faults := w.check(t)
			var keys []string
			for _, fault := range faults {
				var violation *persistencetest.ViolationError
				violation, ok := fault.(*persistencetest.ViolationError) //nolint:errorlint // documented to be one
				if !ok {
					t.Fatalf("%T: %v", fault, fault)
				}
				if string(violation.Key) == string(test.key) && strings.Contains(violation.What, test.contains) {
					return
				}
				keys = append(keys, fault.Error())
			}
			t.Errorf("no violation of %q with %q, but:\n%s", test.key, test.contains, strings.Join(keys, "\n"))
		})
	}
}

// zeroth returns a conversation of shard 0.
func zeroth() string {
	name := "a:b"
	for persistence.ShardOf(name) != 0 {
		name += "b"
	}
	return name
}

func TestCheckReturnsWhatKeptItFromReading(t *testing.T) {
	store := persistencetest.NewStore()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Close()
	if faults := persistencetest.Check(t.Context(), snapshot); len(faults) != 1 {
		t.Errorf("%v; want one error", faults)
	}
}
