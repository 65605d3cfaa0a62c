package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// TestAnExplanationIsOfOneMoment changes a conversation in ways that write several rows together, in real time, and looks for explanations that have one without the other.
func TestAnExplanationIsOfOneMoment(t *testing.T) {
	store := persistencetest.NewStore()
	config := actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour, ExpireIdle: 30 * time.Minute}, FlushInterval: 100 * time.Microsecond}
	e, err := actors.Start(t.Context(), nil, store, config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	propose := func(change conversation.Change, ack actors.Ack) {
		if _, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:42", Change: change, Ack: ack}); err != nil {
			t.Errorf("%s: %v", change.Kind(), err)
		}
	}
	propose(&conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}}, actors.AckCommitted)
	propose(&conversation.Read{User: "bob", Seq: 1}, actors.AckCommitted)
	group.Go(func() {
		for i := uint64(1); ctx.Err() == nil; i++ {
			// One change sets the mark and the pin, the next takes both away: bob's row and his index agree whenever one looks.
			propose(&conversation.Set{User: "bob", Pin: new(i % 2 * i)}, actors.Ack(1+i%2))
			propose(&conversation.Post{Seq: i + 1, Sender: "ann"}, actors.AckApplied)
			propose(&conversation.Hold{On: i%3 == 0}, actors.Ack(1+i%2))
			propose(&conversation.Read{User: "bob", Seq: i + 1}, actors.AckApplied)
		}
	})
	restless := 0
	for range 3_000 {
		x, err := e.ExplainConversation(t.Context(), "group:42", "bob")
		if errors.Is(err, conversation.ErrUnavailable) {
			restless++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		m, pinned := x.User.Membership, false
		for _, entry := range x.User.Entries {
			pinned = pinned || entry.Kind == persistence.EntryPinned
			if !entry.Present {
				t.Errorf("bob's index has no %+v, though his row is %+v", entry, m)
			}
		}
		switch last := x.Head.LastSeq; {
		case pinned != (m.Pin != 0) || (m.Pin != 0) != (x.Head.Pins == 1):
			t.Errorf("pin %d, an entry: %v, pins of the head %d", m.Pin, pinned, x.Head.Pins)
		case x.Head.Due != 0 && !x.Due.Present:
			t.Errorf("there is no due entry at %d: %+v", x.Head.Due, x.Due)
		case m.ReadSeq+1 < last || m.ReadSeq > last || x.User.Unread.Unread != last-m.ReadSeq:
			t.Errorf("bob has read %d of %d, and %d are unread", m.ReadSeq, last, x.User.Unread.Unread)
		}
		if t.Failed() {
			break
		}
	}
	cancel()
	group.Wait()
	if restless > 30 {
		t.Errorf("%d explanations of 3,000 were refused because the conversation changed too often", restless)
	}
	if err := errors.Join(e.Stop(context.Background()), store.Close()); err != nil {
		t.Error(err)
	}
}

func TestAStoreAloneExplainsWhatItsEngineDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour, ExpireJitter: time.Minute}, EventsFor: 3 * time.Hour}
		e := actorstest.Start(t, config)
		e.Post("group:old", "ann", 1, "bob")
		e.Advance(90 * time.Minute)
		for seq := range uint64(3) {
			e.Post("group:42", "ann", seq+1, "bob", "cid")
		}
		e.Set("group:42", conversation.Set{User: "bob", Pin: new(uint64(3))})
		e.Read("group:42", "bob", 1)
		var many []string
		for i := range 70 {
			many = append(many, fmt.Sprintf("user%d", i))
		}
		e.Post("group:large", "ann", 1, append(many, "bob")...)
		e.Advance(time.Second) // all of it is in the store
		for _, name := range []string{"group:42", "group:old", "group:large"} {
			for _, user := range []string{"", "bob", "eve"} {
				online := explain(t, e, name, user)
				stored, err := actors.ExplainStored(t.Context(), e.Store, config, time.Now(), name, user)
				if err != nil {
					t.Fatal(err)
				}
				if online.Memory == nil || stored.Memory != nil || stored.Journal != nil || stored.Reaper != nil || stored.Changes != nil {
					t.Errorf("%s: a store alone tells of memory: %+v", name, stored)
				}
				ignored := cmpopts.IgnoreFields(actors.ConversationExplanation{}, "Memory", "Journal", "Reaper", "Changes", "Due.LooksFrom", "Due.LooksAt")
				if diff := cmp.Diff(online, stored, ignored); diff != "" {
					t.Errorf("%s for %q (-engine +store alone):\n%s", name, user, diff)
				}
			}
		}
		// A wall clock that is behind what the store has seen is not believed.
		stored, err := actors.ExplainStored(t.Context(), e.Store, config, time.Unix(1, 0), "group:old", "")
		if err != nil || stored.Now.Before(stored.Tombstone.Event.At.Time()) {
			t.Errorf("at the wrong time: %+v, %v", stored, err)
		}
		_, err = actors.ExplainStored(t.Context(), e.Store, config, time.Now(), "group:none", "")
		if !errors.Is(err, conversation.ErrNotFound) {
			t.Errorf("what was never known: %v", err)
		}
		_, err = actors.ExplainStored(t.Context(), e.Store, config, time.Now(), "group:42", "\xff")
		wantField(t, err, conversation.ErrInvalid, "user")
		if _, err = actors.ExplainStored(t.Context(), e.Store, actors.Config{Workers: -1}, time.Now(), "group:42", ""); err == nil {
			t.Error("a bad config is taken")
		}
	})
}
