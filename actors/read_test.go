package actors_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// One writer posts and reads on, waiting for nothing but that it was applied, while batches move from the journal to the store. Readers must never see a message or
// a read mark less than what was acknowledged before they asked, nor less than they saw before, nor a head and a membership of different moments.
func TestAReaderSeesWhatWasAppliedWhileRowsMoveIntoTheStore(t *testing.T) {
	const flushes = 50 // at least, so that it is tested what the test is for
	posts := uint64(20_000)
	if racing.Enabled {
		posts = 3_000
	}
	e := actorstest.Start(t, actors.Config{FlushInterval: time.Microsecond, MaxFlushInterval: time.Microsecond, IdleAfter: time.Millisecond})
	var acked atomic.Uint64
	var writer, readers sync.WaitGroup
	propose := func(change conversation.Change) {
		if _, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:42", Change: change, Ack: actors.AckApplied}); err != nil {
			t.Errorf("%s: %v", change.Kind(), err)
		}
	}
	propose(&conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}})
	acked.Store(1)
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for seq := uint64(2); seq <= posts || e.Stats().Journal.Flushes < flushes; seq++ {
			propose(&conversation.Post{Seq: seq, Sender: "ann"})
			acked.Store(seq)
		}
	})
	for range 3 {
		readers.Go(func() {
			seen := uint64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				least := max(seen, acked.Load())
				v, err := e.Get(context.Background(), "group:42", "ann")
				if err != nil {
					t.Errorf("get: %v", err)
					return
				}
				// The sender has read what they sent, in the same change.
				if v.LastSeq < least || v.Membership == nil || v.Membership.ReadSeq != v.LastSeq || v.Version != v.LastSeq {
					t.Errorf("after %d: got last seq %d, version %d and %+v", least, v.LastSeq, v.Version, v.Membership)
					return
				}
				seen = v.LastSeq
				page, err := e.Conversations(context.Background(), actors.ListQuery{User: "bob"})
				if err != nil || len(page.Conversations) != 1 || page.Conversations[0].LastSeq < seen {
					t.Errorf("bob's list after %d: got %+v, %v", seen, page, err)
					return
				}
			}
		})
	}
	writer.Wait()
	readers.Wait()
}

func TestMembersComeInPagesInTheOrderOfTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		var users []string
		for i := range 25 {
			users = append(users, fmt.Sprintf("user%02d", i))
		}
		e.Post("group:42", "user00", 1, users...)
		e.Do("group:42", &conversation.Leave{Users: []string{"user07"}})
		// Names of which one is the other's prefix, and a neighbour.
		e.Post("group:4", "x", 1)
		e.Post("group:42:a", "x", 1)
		var got []string
		q := actors.MembersQuery{Conversation: "group:42", Limit: 10}
		for pages := 0; ; pages++ {
			page, err := e.Members(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Members {
				got = append(got, m.User)
			}
			if q.PageToken = page.NextPageToken; q.PageToken == "" {
				break
			}
			if pages > 5 {
				t.Fatal("the pages do not end")
			}
		}
		if want := slices.Delete(users, 7, 8); !slices.Equal(got, want) {
			t.Errorf("members: got %v, want %v", got, want)
		}
		page, err := e.Members(t.Context(), actors.MembersQuery{Conversation: "group:42", Users: []string{"user07", "nobody", "user01"}})
		if err != nil || len(page.Members) != 2 || page.Members[0].VisibleTo != 1 || page.Members[1].User != "user01" {
			t.Errorf("named members: got %+v, %v; want user07, who left at 1, and user01", page.Members, err)
		}
	})
}

func TestAListHasTheNewestFirstAndNobodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.Namespaces = map[string]conversation.Policy{"keep": {}}
		e := actorstest.Start(t, config)
		for i := range 30 {
			e.Post(fmt.Sprintf("keep:%02d", i), "ann", 1, "lx")
			e.Advance(time.Second)
		}
		e.Post("group:42", "ann", 1, "lx")
		e.Post("keep:other", "ann", 1, "lx:y", "l")
		e.Post("keep:05", "ann", 2)
		list := func(q actors.ListQuery) (names []string) {
			q.User, q.Limit = "lx", 7
			for {
				page, err := e.Conversations(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page.Conversations {
					names = append(names, c.Conversation)
				}
				if q.PageToken = page.NextPageToken; q.PageToken == "" {
					return names
				}
			}
		}
		got := list(actors.ListQuery{})
		if len(got) != 31 || !slices.Equal(got[:4], []string{"group:42", "keep:05", "keep:29", "keep:28"}) {
			t.Errorf("the list: got %d: %v", len(got), got)
		}
		e.Do("keep:29", &conversation.Clear{User: "lx", Seq: 1, Hide: true})
		e.Do("keep:28", &conversation.Leave{Users: []string{"lx"}})
		e.Do("keep:27", &conversation.Leave{Users: []string{"lx"}, Keep: true})
		e.Do("keep:26", &conversation.Read{User: "lx", Seq: 1})
		e.Advance(2 * time.Hour)
		if got := list(actors.ListQuery{}); len(got) != 28 || !slices.Equal(got[:4], []string{"keep:05", "keep:27", "keep:26", "keep:25"}) {
			t.Errorf("without the expired, the hidden and the left: got %d: %v", len(got), got)
		}
		if got := list(actors.ListQuery{Hidden: true}); !slices.Equal(got, []string{"keep:29"}) {
			t.Errorf("the hidden: got %v, want keep:29", got)
		}
		if got := list(actors.ListQuery{UnreadOnly: true}); len(got) != 27 || slices.Contains(got, "keep:26") {
			t.Errorf("the unread: got %d: %v, want all but the one that was read", len(got), got)
		}
		e.Post("keep:29", "ann", 2)
		if got := list(actors.ListQuery{}); got[0] != "keep:29" {
			t.Errorf("the next message unhides: got %v first, want keep:29", got[0])
		}
	})
}

func TestTheOtherOfTwoIsThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("dm:1", "ann", 1, "bob", "cid")
		if v := e.View("dm:1", "ann"); v.Peer != "" {
			t.Errorf("of three: got peer %q, want none", v.Peer)
		}
		e.Do("dm:1", &conversation.Leave{Users: []string{"bob"}})
		for user, want := range map[string]string{"ann": "cid", "cid": "ann", "bob": "", "": ""} {
			if v := e.View("dm:1", user); v.Peer != want {
				t.Errorf("for %q: got peer %q, want %q", user, v.Peer, want)
			}
		}
	})
}

func TestWhatWasCommittedSurvivesACrashAndARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		for i := range uint64(50) {
			e.Post("group:42", "ann", i+1, "bob")
			e.Do("group:42", &conversation.Read{User: "bob", Seq: i})
			if i%10 == 5 {
				e.Crash()
			}
			if i%10 == 9 {
				e.Restart()
			}
			if v := e.View("group:42", "bob"); v == nil || v.LastSeq != i+1 || (i > 0 && v.Membership.Unread != 1) {
				t.Fatalf("after %d: got %+v", i+1, v)
			}
		}
	})
}

func TestAStoreThatCannotBeReadRefusesProposalsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{IdleAfter: time.Second, MaxPackedBytes: -1})
		e.Post("group:42", "ann", 1)
		e.Advance(time.Minute)
		e.Store.SetFaults(persistencetest.Faults{Get: func([]byte) error { return context.DeadlineExceeded }})
		r := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"})
		wantField(t, r.Err, conversation.ErrUnavailable, "")
		e.Store.SetFaults(persistencetest.Faults{})
		e.Post("group:42", "ann", 2)
		// Memberships are read when they are asked for.
		e.Advance(time.Minute)
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if key[0] == 'u' {
				return context.DeadlineExceeded
			}
			return nil
		}})
		r = e.Do("group:42", &conversation.Post{Seq: 3, Sender: "ann"})
		wantField(t, r.Err, conversation.ErrUnavailable, "")
		e.Store.SetFaults(persistencetest.Faults{})
		if r := e.Post("group:42", "ann", 3); r.Version != 3 {
			t.Errorf("after the store came back: got %+v, want version 3", r)
		}
	})
}

// Between the reader's look at the journal and its snapshot of the store, the conversation moves on and all of it is committed. What the reader found in the
// journal is then older than what is in the snapshot, and must not be mixed with it.
func TestAReaderTakesTheNewerOfOverlayAndStoreForEachRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{FlushInterval: time.Hour})
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(time.Millisecond) // it is in the store
		if _, err := e.Propose(t.Context(), &actors.Proposal{
			Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "bob"}, Ack: actors.AckApplied,
		}); err != nil {
			t.Fatal(err)
		}
		var moved atomic.Bool
		e.Store.SetFaults(persistencetest.Faults{Snapshot: func() error {
			if !moved.Swap(true) {
				e.Post("group:42", "ann", 3)
				e.Advance(time.Hour)
			}
			return nil
		}})
		v := e.View("group:42", "ann")
		if v.LastSeq != 3 || v.Version != 3 || v.Membership.ReadSeq != 3 {
			t.Errorf("got last seq %d, version %d, read up to %d; want all 3", v.LastSeq, v.Version, v.Membership.ReadSeq)
		}
	})
}
