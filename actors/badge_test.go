package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func TestABadgeIsTheSumOfTheListWithTheMutedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		do := func(name string, change conversation.Change) {
			t.Helper()
			if r := e.Do(name, change); r.Err != nil {
				t.Fatalf("%s to %s: %v", change.Kind(), name, r.Err)
			}
		}
		wantBadge(t, e, actors.Badge{})
		for _, name := range []string{"group:plain", "group:muted", "group:read", "group:hidden", "group:left", "group:kept"} {
			do(name, &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
			do(name, &conversation.Post{Seq: 2, Sender: "bob", Mentions: []string{"ann"}})
		}
		for _, name := range []string{"group:read", "group:marked"} {
			do(name, &conversation.Post{Seq: 3, Sender: "ann"}) // by which she has read what she saw
		}
		do("group:marked", &conversation.MarkUnread{User: "ann"})
		do("group:muted", &conversation.Set{User: "ann", MutedUntil: new(time.Now().Add(time.Hour))})
		do("group:hidden", &conversation.Set{User: "ann", Hide: new(persistence.HideAlways)})
		do("group:left", &conversation.Leave{Users: []string{"ann"}})
		do("group:kept", &conversation.Leave{Users: []string{"ann"}, Keep: true})
		want := actors.Badge{Unread: 2 + 2 + 1, MutedUnread: 2, Mentions: 3, Conversations: 3}
		wantBadge(t, e, want)
		e.Restart() // what was counted from memory is counted from the store
		wantBadge(t, e, want)
		e.Advance(time.Hour)
		want.Unread, want.MutedUnread, want.Conversations = want.Unread+2, 0, want.Conversations+1
		wantBadge(t, e, want)
	})
}

func TestABadgeAsksForAUsersName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		_, err := e.Badge(t.Context(), "")
		if refusal, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || refusal.Field != "user" {
			t.Errorf("the badge of nobody: %v, want the field user refused as invalid", err)
		}
	})
}

func wantBadge(t *testing.T, e *actorstest.Engine, want actors.Badge) {
	t.Helper()
	got, err := e.Badge(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	got.Cost = actors.ReadCost{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("badge (-want +got):\n%s", diff)
	}
}
