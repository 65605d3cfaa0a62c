package actors_test

import (
	"context"
	"errors"
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

// posted proposes a post that nobody waits for the store with, and requires that it is applied.
func posted(t *testing.T, e *actorstest.Engine, name, sender string, seq uint64, members ...string) {
	t.Helper()
	r := e.Send(&actors.Proposal{Conversation: name, Ack: actors.AckApplied, Tag: seq, Change: &conversation.Post{Seq: seq, Sender: sender, Members: members}})
	if r.Err != nil || r.LastSeq != seq || r.Tag != seq || !r.Changed || r.Ack != actors.AckApplied {
		t.Fatalf("post %d: %+v", seq, r)
	}
}

// see requires what bob sees of a conversation.
func see(t *testing.T, e *actorstest.Engine, name string, last, unread uint64) {
	t.Helper()
	if v := e.View(name, "bob"); v == nil || v.LastSeq != last || v.Version != last || v.Membership == nil || v.Membership.Unread != unread {
		t.Fatalf("%s is %+v, want %d messages, %d of them unread", name, v, last, unread)
	}
}

func TestPostsAreSeenAtOnceThoughTheirRowsAreTakenLater(t *testing.T) {
	for _, packing := range []int{0, -1} { // without an actor, and with one
		actorstest.Run(t, actors.Config{MaxPackedBytes: packing, FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
			posted(t, e, "group:42", "ann", 1, "bob")
			for seq := uint64(2); seq <= 300; seq++ {
				posted(t, e, "group:42", "ann", seq)
				see(t, e, "group:42", seq, seq)
			}
			if c := e.Stats().Cells; c.Visits+c.Unpacked > 12 {
				t.Errorf("of 300 posts, these were not added where the conversation lies: %+v", c)
			}
			if list := e.List("bob"); len(list) != 1 || list[0].LastSeq != 300 {
				t.Errorf("bob's list is %+v", list)
			}
			e.Read("group:42", "bob", 299)
			see(t, e, "group:42", 300, 1)
			posted(t, e, "group:42", "bob", 301)
			see(t, e, "group:42", 301, 0)
		})
	}
}

func TestWhatWasFlushedSurvivesACrashAndWhatWasNotGoesWhole(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		for i := range 50 {
			posted(t, e, fmt.Sprint("group:", i), "ann", 1, "bob")
			posted(t, e, fmt.Sprint("group:", i), "ann", 2)
		}
		if j := e.Stats().Journal; j.Rows < 50*3 {
			t.Fatalf("%d rows are on their way to the store, want those of fifty conversations", j.Rows)
		}
		if err := e.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if j := e.Stats().Journal; j.Rows != 0 || j.Bytes != 0 {
			t.Fatalf("after a flush: %+v", j)
		}
		for i := range 50 {
			posted(t, e, fmt.Sprint("group:", i), "ann", 3)
		}
		e.Crash()
		for i := range 50 {
			see(t, e, fmt.Sprint("group:", i), 2, 2)
			posted(t, e, fmt.Sprint("group:", i), "ann", 3)
		}
		e.Restart()
		for i := range 50 {
			see(t, e, fmt.Sprint("group:", i), 3, 3)
		}
	})
}

// What was posted before a flush is in the store after it, however much is posted to others, which other workers have, meanwhile.
func TestWhatWasPostedBeforeAFlushIsInTheStoreAfterIt(t *testing.T) {
	const workers, before, each = 4, 200, 5
	actorstest.Run(t, actors.Config{Workers: workers, FlushRows: 1, FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		first, others := make([]string, 0, before), []string{}
		for i := 0; len(first) < before; i++ {
			name := fmt.Sprint("group:", i)
			if persistence.ShardOf(name)%workers == 0 {
				first = append(first, name)
			} else {
				others = append(others, name)
			}
			posted(t, e, name, "ann", 1)
			posted(t, e, name, "ann", 2)
		}
		if err := e.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		e.Store.SetFaults(commitsTake(time.Millisecond))
		for _, name := range first {
			posted(t, e, name, "ann", 3)
		}
		flushed := make(chan error, 1)
		go func() { flushed <- e.Flush(context.Background()) }()
		for seq := uint64(3); len(flushed) == 0; seq++ {
			for i := range each * workers {
				posted(t, e, others[i], "ann", seq)
			}
			e.Advance(time.Millisecond)
		}
		if err := <-flushed; err != nil {
			t.Fatal(err)
		}
		e.Crash()
		for _, name := range first {
			if v := e.View(name, ""); v == nil || v.LastSeq != 3 {
				t.Fatalf("%s: %+v, want the post before the flush", name, v)
			}
		}
	})
}

// commitsTake has commits take a time, and nothing else: what is logged is so at once.
func commitsTake(d time.Duration) persistencetest.Faults {
	return persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
		if op == persistencetest.OpCommit {
			return d
		}
		return 0
	}}
}

// However long posts are committed, the journal holds no more than the rows of their conversations.
func TestCommittedPostsLeaveNothingToBeTakenLater(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		e.Store.SetFaults(commitsTake(time.Hour)) // what is logged waits for that, and nobody for what is logged
		for seq := uint64(2); seq <= 300; seq++ {
			e.Post("group:42", "ann", seq)
		}
		if j := e.Stats().Journal; j.Logs < 299 || j.Rows > 20 {
			t.Errorf("%+v, want 299 that were logged, and the rows of one conversation", j)
		}
		e.Heal()
		e.Advance(2 * time.Hour)
		e.Crash()
		see(t, e, "group:42", 300, 300)
	})
}

// Posts that nobody waits for are not left behind by others that are committed all the while: a crash takes back no more of them than of late.
func TestPostsThatNobodyWaitsForReachTheStoreBesideOthersThatAreCommitted(t *testing.T) {
	const conversations, each, lasting, took, late = 12_000, 15, 20 * time.Second, time.Second, 6 * time.Second
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		last, before := make([]uint64, conversations), make([]uint64, conversations)
		next := func(i int) {
			last[i]++
			posted(t, e, fmt.Sprint("group:", i), "ann", last[i])
		}
		for i := range conversations {
			next(i)
		}
		e.Advance(time.Minute)
		e.Store.SetFaults(commitsTake(took))
		began := e.Now()
		for n := 0; e.Now().Sub(began) < lasting; n += each {
			for i := range each {
				next((n + i) % conversations)
			}
			e.Post("group:committed", "ann", uint64(n/each+1))
			e.Advance(10 * time.Millisecond)
			if e.Now().Sub(began) < lasting-late {
				copy(before, last)
			}
		}
		e.Crash()
		for i, seq := range before {
			if v := e.View(fmt.Sprint("group:", i), ""); v == nil || v.LastSeq < seq {
				t.Fatalf("%d: %+v is left, want the post %d, which was applied %v ago", i, v, seq, late)
			}
		}
	})
}

func TestPostsAreInTheStoreAfterTheFlushInterval(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Second}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(time.Minute)
		posted(t, e, "group:42", "ann", 2)
		e.Advance(2 * time.Second)
		e.Crash()
		see(t, e, "group:42", 2, 2)
	})
}

func TestWhatThereIsNoRoomForIsWrittenFirst(t *testing.T) {
	const conversations = 8_000
	actorstest.Run(t, actors.Config{MaxActive: 1, MaxPackedBytes: 1, FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		for i := range conversations {
			posted(t, e, fmt.Sprint("group:", i), "ann", 1, "bob")
			posted(t, e, fmt.Sprint("group:", i), "ann", 2)
		}
		if c := e.Stats().Cells; c.Packed >= conversations {
			t.Fatalf("there is room for all: %+v", c)
		}
		for i := range conversations {
			see(t, e, fmt.Sprint("group:", i), 2, 2)
		}
	})
}

func TestPostsThatNobodyWaitsForAndPostsThatSomebodyDoesHaveOneOrder(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		var told []uint64
		for seq := uint64(1); seq <= 400; seq += 2 {
			e.ProposeFunc(
				&actors.Proposal{Conversation: "group:42", Ack: actors.AckApplied, Change: &conversation.Post{Seq: seq, Sender: "ann", Unattended: seq%5 == 0}},
				func(r *actors.Reply) { told = append(told, r.LastSeq) },
			)
			posted(t, e, "group:42", "ann", seq+1)
		}
		e.Advance(0)
		for i, last := range told {
			if want := uint64(2*i + 1); last != want {
				t.Fatalf("the %dth answer is of message %d, want %d", i, last, want)
			}
		}
		if len(told) != 200 {
			t.Errorf("%d answers, want 200", len(told))
		}
	})
}

func TestPostsPutTheDeadlineOffAndWhatIsOverStaysOver(t *testing.T) {
	config := actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		posted(t, e, "group:42", "ann", 1, "bob")
		for seq := uint64(2); seq <= 10; seq++ {
			e.Advance(20 * time.Minute)
			posted(t, e, "group:42", "ann", seq)
		}
		e.Advance(time.Hour - time.Microsecond)
		see(t, e, "group:42", 10, 10)
		e.Advance(time.Microsecond)
		if v := e.View("group:42", "bob"); v != nil {
			t.Fatalf("after its deadline it is %+v", v)
		}
		info := e.AwaitExpired(time.Minute, "group:42")
		if info.LastSeq != 10 {
			t.Errorf("it expired with %+v", info)
		}
		posted(t, e, "group:42", "ann", 11)
		if v := e.View("group:42", "bob"); v == nil || v.Membership != nil || v.Members != 1 {
			t.Errorf("its next life is %+v", v)
		}
	})
}

func TestACommittedPostWaitsForTheStoreWhereItLies(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		synctest.Wait() // a visit is counted after what it answers
		visits := e.Stats().Cells.Visits
		e.BreakFor(10*time.Second, actorstest.WritesFail(nil))
		began := e.Now()
		e.Post("group:42", "ann", 2)
		if took := e.Now().Sub(began); took < 10*time.Second {
			t.Errorf("it was answered after %v, before the store took anything", took)
		}
		if now := e.Stats().Cells.Visits; now != visits {
			t.Errorf("it took %d visits", now-visits)
		}
		e.Crash()
		see(t, e, "group:42", 2, 2)
	})
}

func TestPostsWhoseRowsTheStoreRefusesAreTakenBackWhole(t *testing.T) {
	actorstest.Run(t, actors.Config{QuarantineFor: time.Minute}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		e.Post("group:43", "ann", 1, "bob")
		e.Advance(time.Minute) // both are in the store
		e.Break(actorstest.RowsAreRefused("group:42", persistence.ErrGroupTooLarge))
		posted(t, e, "group:42", "ann", 2)
		for seq := uint64(2); seq < 12; seq++ {
			e.Post("group:43", "ann", seq)
			e.Advance(time.Second)
		}
		if r := e.Do("group:42", &conversation.Post{Seq: 3, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrQuarantined) {
			t.Fatalf("it is not quarantined: %+v", r)
		}
		see(t, e, "group:42", 1, 1)
		e.Heal()
		e.Advance(2 * time.Minute)
		posted(t, e, "group:42", "ann", 2)
		see(t, e, "group:42", 2, 2)
	})
}

// A fault of the store while rows are gathered takes nothing away from those that readers see.
func TestReadersSeePostsWhileTheStoreFails(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Millisecond}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return errors.New("not now") }})
		for seq := uint64(2); seq <= 50; seq++ {
			posted(t, e, "group:42", "ann", seq)
			e.Advance(700 * time.Microsecond)
			see(t, e, "group:42", seq, seq)
		}
		e.Heal()
		e.Advance(time.Minute)
		e.Crash()
		see(t, e, "group:42", 50, 50)
	})
}
