package journal_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func anyRow(conversation.Write) bool { return true }

func TestAnInspectionIsWhatWouldBeWrittenOfOneConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		head, due, moved := persistence.HeadKey("group:1"), persistence.DueKey("group:1", 7, 1), persistence.DueKey("group:1", 9, 1)
		add := func(writes ...conversation.Write) { f.Add("group:1", persistence.ShardOf("group:1"), writes, nil) }
		release := make(chan struct{})
		f.store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { <-release; return nil }})
		add(conversation.Write{Key: head, Value: []byte("one")}, conversation.Write{Key: due})
		f.Flush()
		f.advance(time.Millisecond)
		add(conversation.Write{Key: head, Value: []byte("two")}, conversation.Write{Key: due, Delete: true}, conversation.Write{Key: moved})
		// What is written only where it is present will not be: it is deleted before that.
		add(conversation.Write{Key: due, Value: []byte("record"), IfPresent: true})
		f.Add("group:2", persistence.ShardOf("group:2"), []conversation.Write{{Key: persistence.HeadKey("group:2")}}, nil)

		i := f.Inspect("group:1", anyRow)
		want := map[string]conversation.Write{string(head): {Key: head, Value: []byte("two")}, string(due): {Key: due, Delete: true}, string(moved): {Key: moved}}
		if diff := cmp.Diff(want, i.Rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[persistence.Kind]int{persistence.KindHead: 2, persistence.KindDue: 3}, i.Counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if !i.Writing || i.Batch != 2 || i.Open != 2 || i.Bytes == 0 || i.Age != persistence.InstantOf(time.Now().Add(-time.Millisecond)) {
			t.Errorf("%+v, want two batches, of which the first is being written", i)
		}
		if none := f.Inspect("group:3", anyRow); none.Batch != 0 || none.Age != 0 || none.Writing || len(none.Rows) > 0 {
			t.Errorf("of a conversation without rows: %+v", none)
		}
		if only := f.Inspect("group:1", func(w conversation.Write) bool { return w.Delete }); len(only.Rows) != 1 || only.Counts[persistence.KindHead] != 2 {
			t.Errorf("of the rows that are asked for: %+v", only)
		}
		close(release)
		synctest.Wait()
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAnInspectionSaysWhatACrashWouldTakeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.slowly(time.Minute, persistencetest.OpCommit) // what is logged is durable at once, and in the store later
		want := func(when string, durable bool) {
			t.Helper()
			if i := f.Inspect("group:1", anyRow); i.Batch == 0 || i.Durable != durable {
				t.Errorf("%s: %+v, want durable %v", when, i, durable)
			}
		}
		f.add("group:1", head("group:1", "1"))
		want("nobody waits for it", false)
		f.addWaiting("group:1", head("group:1", "2"))
		synctest.Wait()
		want("it was logged", true)
		f.add("group:1", head("group:1", "3"))
		want("there is more", false)
		if i := f.Inspect("group:2", anyRow); i.Durable {
			t.Errorf("of a conversation without rows: %+v", i)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASnapshotIsOfTheMomentOfAnInspectionAsLongAsNothingLaterIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		add := func() {
			f.Add("group:1", persistence.ShardOf("group:1"), []conversation.Write{{Key: persistence.HeadKey("group:1"), Value: []byte("x")}}, nil)
		}
		hold := make(chan struct{})
		f.store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { <-hold; return nil }})
		add()
		f.Flush()
		synctest.Wait()
		i := f.Inspect("group:1", anyRow)
		if !f.Settled(i.Open) {
			t.Error("a batch from before the inspection is being written, and that unsettles it")
		}
		hold <- struct{}{}
		synctest.Wait()
		if !f.Settled(i.Open) {
			t.Error("a batch from before the inspection was written, and that unsettles it")
		}
		add()
		if !f.Settled(i.Open) {
			t.Error("what is only added unsettles it")
		}
		f.Flush()
		synctest.Wait()
		if f.Settled(i.Open) {
			t.Error("what was added later may be in the store, and that does not unsettle it")
		}
		close(hold)
		synctest.Wait()
		if f.Settled(i.Open) {
			t.Error("what was added later is in the store, and that does not unsettle it")
		}
		if failed, last := f.Trouble(); failed != 0 || last != nil {
			t.Errorf("%d attempts failed, the last with %v", failed, last)
		}
		f.store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return errDisk }})
		add()
		f.Flush()
		synctest.Wait()
		if failed, last := f.Trouble(); failed == 0 || !errors.Is(last, errDisk) {
			t.Errorf("%d attempts failed, the last with %v; want the disk's error", failed, last)
		}
		f.store.SetFaults(persistencetest.Faults{})
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
