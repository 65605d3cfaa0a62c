package journal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// joins returns the rows of a thousand users who join a conversation.
func joins(name string, from int) []conversation.Write {
	var writes []conversation.Write
	for i := range 1000 {
		user := fmt.Sprint("user", from+i)
		writes = append(writes,
			membership(user, name, "u"),
			conversation.Write{Key: persistence.MemberKey(name, user), Value: []byte("m"), User: user})
	}
	return append(writes, head(name, fmt.Sprint(from)))
}

// While one write takes its time, a conversation changes more rows than one transaction takes.
func TestAConversationThatChangesMoreThanATransactionTakesIsWrittenInSeveral(t *testing.T) {
	inBubble(t, func(f *fixture) {
		release := f.hold(nil)
		f.addWaiting("group:2", head("group:2", "1"))
		f.advance(time.Millisecond)
		var last uint64
		for join := range 11 {
			last = f.add("group:1", joins("group:1", 1000*join)...)
		}
		written := f.wait("group:1", last)
		key := persistence.HeadKey("group:1")
		if got := f.Lookup("group:1", key, persistence.MemberKey("group:1", "user5")); string(got[0]) != "10000" || string(got[1]) != "m" {
			t.Errorf("before it is written: got %q, want the newest head and the first member", got)
		}
		if got := len(f.Rows("group:1", persistence.MembersRange("group:1"))); got != 11_000 {
			t.Errorf("before it is written: %d members, want 11,000", got)
		}
		if got := f.Seq(); got != last {
			t.Errorf("Seq: got %d, want %d", got, last)
		}
		f.wantWaiting("who waits for the last of it", written)
		release()
		f.advance(time.Second)
		f.wantTold("who waits for the last of it", written, nil)
		f.wantPoisoned()
		f.wantStored(key, "10000")
		f.wantStored(persistence.MemberKey("group:1", "user10999"), "m")
		if got := f.Stats(); got.Rows != 0 || got.Flushes < 3 {
			t.Errorf("in the end: %+v, want nothing left, after several batches", got)
		}
	})
}

// A batch whose only conversation was dropped has a number that somebody may wait for.
func TestABatchThatWasEmptiedIsFlushedAllTheSame(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.failing(func(b persistence.Batch) error {
			for _, g := range b.Groups {
				if string(g.Puts[0].Key) == string(persistence.HeadKey("group:bad")) {
					return errors.New("cannot write this")
				}
			}
			return nil
		})
		f.add("group:good", head("group:good", "1"))
		f.addWaiting("group:bad", head("group:bad", "1"))
		f.advance(100 * time.Millisecond) // the good one has landed, the bad one is being tried by itself
		last := f.add("group:bad", head("group:bad", "2"))
		f.advance(time.Second)
		f.wantPoisoned("group:bad")
		f.Flush()
		f.advance(time.Millisecond)
		if got := f.Flushed(); got < last {
			t.Errorf("flushed up to %d, want %d", got, last)
		}
	})
}
