package journal_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// lookup returns what readers find of the rows of a conversation; "-" where they find nothing.
func (f *fixture) lookup(name string, rows ...conversation.Write) []string {
	keys := make([][]byte, len(rows))
	for i, row := range rows {
		keys[i] = row.Key
	}
	var found []string
	for _, value := range f.Lookup(name, keys...) {
		if value == nil {
			found = append(found, "-")
		} else {
			found = append(found, string(value))
		}
	}
	return found
}

func (f *fixture) wantLookup(when string, want ...string) {
	f.Helper()
	got := f.lookup("group:1", head("group:1", ""), tail("group:1", ""), membership("ann", "group:1", ""))
	if !slices.Equal(got, want) {
		f.Errorf("%s: readers find %q, want %q", when, got, want)
	}
}

func TestReadersSeeTheOpenBatchOverTheOneBeingWrittenOverNothing(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.wantLookup("at first", "-", "-", "-")
		f.add("group:1", head("group:1", "h1"), tail("group:1", "t1"), membership("ann", "group:1", "m1"))
		f.wantLookup("with an open batch", "h1", "t1", "m1")
		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		f.wantLookup("while it is written", "h1", "t1", "m1")
		f.add("group:1", head("group:1", "h2"))
		f.wantLookup("with another open batch", "h2", "t1", "m1")
		f.add("group:1", deleted(tail("group:1", "")))
		f.wantLookup("with one row deleted again", "h2", "-", "m1")
		if got := f.lookup("group:2", head("group:1", "")); got[0] != "-" {
			t.Errorf("asked for a row as another conversation's: got %q, want nothing", got)
		}
		release()
		f.wantLookup("once the first is in the store", "h2", "-", "-")
		f.advance(interval)
		f.wantLookup("once all is in the store", "-", "-", "-")
		f.wantStored(head("group:1", "").Key, "h2")
		f.wantAbsent(tail("group:1", "").Key)
	})
}

func TestABatchIsLetGoOnlyOnceTheStoreShowsItToReaders(t *testing.T) {
	inBubble(t, func(f *fixture) {
		seen := false
		f.store.SetFaults(persistencetest.Faults{
			BeforeCommit: func(persistence.Batch) error {
				f.wantLookup("before the commit has any effect", "h1", "-", "-")
				return nil
			},
			AfterCommit: func(persistence.Batch, []persistence.Result) error {
				seen = true
				f.wantLookup("after the commit, before the journal knows", "h1", "-", "-")
				f.wantStored(head("group:1", "").Key, "h1")
				return nil
			},
		})
		f.add("group:1", head("group:1", "h1"))
		f.advance(interval)
		if !seen {
			t.Error("nothing was committed")
		}
		f.wantLookup("at last", "-", "-", "-")
	})
}

func TestRowsAreThoseOfTheRangeWithTheirLastValues(t *testing.T) {
	inBubble(t, func(f *fixture) {
		member := func(user, value string) conversation.Write {
			return conversation.Write{Key: persistence.MemberKey("group:1", user), Value: []byte(value), User: user}
		}
		rows := func() []string {
			return lines(f.Rows("group:1", persistence.MembersRange("group:1"))...)
		}
		f.add("group:1", head("group:1", "h"), member("ann", "1"), member("bob", "1"), member("eve", "1"))
		f.add("group:11", conversation.Write{Key: persistence.MemberKey("group:11", "zoe"), Value: []byte("1"), User: "zoe"})
		if diff := cmp.Diff(lines(member("ann", "1"), member("bob", "1"), member("eve", "1")), rows()); diff != "" {
			t.Errorf("open: -want +got:\n%s", diff)
		}
		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		f.add("group:1", member("bob", "2"), deleted(member("eve", "")), member("joe", "2"))
		if diff := cmp.Diff(lines(member("ann", "1"), member("bob", "2"), member("joe", "2")), rows()); diff != "" {
			t.Errorf("open over the one being written: -want +got:\n%s", diff)
		}
		after := persistence.MembersRange("group:1").After(member("ann", "").Key)
		if diff := cmp.Diff(lines(member("bob", "2"), member("joe", "2")), lines(f.Rows("group:1", after)...)); diff != "" {
			t.Errorf("behind ann: -want +got:\n%s", diff)
		}
		release()
		f.advance(interval)
		if got := rows(); len(got) != 0 {
			t.Errorf("once all is in the store: got %q, want none", got)
		}
	})
}

func TestTheRowsOfAUserAreThoseThatWillBeInTheStoreOfAllConversations(t *testing.T) {
	inBubble(t, func(f *fixture) {
		want := func(when, user string, within persistence.Range, want ...conversation.Write) {
			t.Helper()
			keys := []string{}
			for _, w := range want {
				keys = append(keys, string(w.Key))
			}
			got := []string{}
			for _, key := range f.UserRows(user, within) {
				got = append(got, string(key))
			}
			slices.Sort(keys)
			if diff := cmp.Diff(keys, got); diff != "" {
				t.Errorf("%s, of %s: -want +got, in order:\n%s", when, user, diff)
			}
		}
		entries := persistence.EntriesRange("ann", persistence.EntryActive, persistence.Never, 0)
		f.add("group:2", membership("ann", "group:2", "1"), entry("ann", 20, "group:2"))
		f.add("group:1", membership("ann", "group:1", "1"), membership("bob", "group:1", "1"), entry("bob", 10, "group:1"), entry("ann", 10, "group:1"), head("group:1", "1"))
		want("open", "ann", entries, entry("ann", 10, "group:1"), entry("ann", 20, "group:2"))
		want("open", "ann", persistence.MembershipsRange("ann"), membership("ann", "group:1", ""), membership("ann", "group:2", ""))
		want("open, of a part", "ann", persistence.EntriesRange("ann", persistence.EntryActive, 19, 5), entry("ann", 10, "group:1"))
		want("open", "bob", everything, entry("bob", 10, "group:1"), membership("bob", "group:1", ""))
		want("open", "eve", everything)
		f.add("group:1", deleted(entry("ann", 10, "")), deleted(entry("ann", 10, "group:1")), entry("ann", 30, "group:1"))
		want("one moved", "ann", entries, entry("ann", 30, "group:1"), entry("ann", 20, "group:2"))

		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		f.add("group:2", deleted(entry("ann", 20, "group:2")), entry("ann", 40, "group:2"), membership("ann", "group:2", "2"))
		want("while the first are written, one moved", "ann", entries, entry("ann", 30, "group:1"), entry("ann", 40, "group:2"))
		want("while the first are written, one changed", "ann", persistence.MembershipsRange("ann"), membership("ann", "group:1", ""), membership("ann", "group:2", ""))
		f.add("group:2", deleted(entry("ann", 40, "group:2")), entry("ann", 20, "group:2"))
		want("moved back", "ann", entries, entry("ann", 30, "group:1"), entry("ann", 20, "group:2"))
		release()
		want("once the first are in the store", "ann", everything, entry("ann", 20, "group:2"), membership("ann", "group:2", ""))
		f.advance(interval)
		want("once all is in the store", "ann", everything)
		f.wantStored(entry("ann", 20, "group:2").Key, "e")
		f.wantAbsent(entry("ann", 40, "group:2").Key)
	})
}

func TestDuesAreTheEntriesOfTheShardThatWillBeInTheStore(t *testing.T) {
	shard := persistence.ShardOf("group:1")
	inBubble(t, func(f *fixture) {
		want := func(when string, seq uint64, want ...conversation.Write) {
			t.Helper()
			entries, got := f.Dues(shard)
			var found []conversation.Write
			for _, entry := range entries {
				found = append(found, conversation.Write{Key: entry.Key, Value: entry.Value})
			}
			if diff := cmp.Diff(lines(want...), slices.Compact(lines(found...))); diff != "" {
				t.Errorf("%s: -want +got:\n%s", when, diff)
			}
			if got != seq {
				t.Errorf("%s: they are flushed with batch %d, want %d", when, got, seq)
			}
		}
		want("at first", 0)
		f.add("group:1", due("group:1", 10, ""), head("group:1", "h"))
		f.add("group:1", due("group:1", 20, ""))
		f.add("group:1", due("group:1", 30, ""))
		f.add("group:1", deleted(due("group:1", 30, "")))
		other := "group:2"
		for i := 3; persistence.ShardOf(other) == shard; i++ {
			other = names(i + 1)[i]
		}
		f.add(other, due(other, 10, ""))
		want("open", 1, due("group:1", 10, ""), due("group:1", 20, ""))

		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		want("being written", 1, due("group:1", 10, ""), due("group:1", 20, ""))
		f.add("group:1", deleted(due("group:1", 10, "")), due("group:1", 40, ""))
		want("one moved", 2, due("group:1", 20, ""), due("group:1", 40, ""))
		// The entry is not in the store yet, but it will be when this is written.
		f.add("group:1", ifPresent(due("group:1", 20, "ended")))
		want("one changed", 2, due("group:1", 20, "ended"), due("group:1", 40, ""))
		// Whether the store has this one, the journal does not know.
		f.add("group:1", ifPresent(due("group:1", 50, "ended")))
		want("an unknown one changed", 2, due("group:1", 20, "ended"), due("group:1", 40, ""))
		release()
		f.advance(interval)
		want("all in the store", 2)
		f.wantAbsent(due("group:1", 10, "").Key)
		f.wantStored(due("group:1", 20, "").Key, "ended")
		f.wantStored(due("group:1", 40, "").Key, "")
		f.wantAbsent(due("group:1", 50, "").Key)
	})
}
