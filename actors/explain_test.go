package actors_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAnExplanationSaysWhereEachConversationWasFoundAndWhatBecameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.Namespaces = map[string]conversation.Policy{"keep": {}}
		e := actorstest.Start(t, config)
		do := func(name string, change conversation.Change) {
			t.Helper()
			if r := e.Do(name, change); r.Err != nil {
				t.Fatalf("%s to %s: %v", change.Kind(), name, r.Err)
			}
		}
		first := time.Now().Truncate(time.Hour)
		for _, name := range []string{"keep:old", "keep:older", "keep:pinned", "keep:hidden", "keep:kept"} {
			e.Post(name, "bob", 1, "ann")
			e.Advance(time.Second)
		}
		do("keep:pinned", &conversation.Set{User: "ann", Pin: new(uint64(1))})
		do("keep:hidden", &conversation.Set{User: "ann", Hide: new(persistence.HideAlways)})
		do("keep:kept", &conversation.Leave{Users: []string{"ann"}, Keep: true})
		e.Advance(2 * time.Hour)
		second := time.Now().Truncate(time.Hour)
		e.Post("keep:new", "bob", 1, "ann")
		e.Advance(time.Second)
		var many []string
		for i := range 70 {
			many = append(many, fmt.Sprintf("user%d", i))
		}
		e.Post("keep:large", "bob", 1, append(many, "ann")...)

		got, err := e.ExplainConversations(t.Context(), actors.ListQuery{User: "ann", Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		want := []actors.LookedUp{
			{Conversation: "keep:pinned", Entry: persistence.EntryPinned, Fate: actors.FateShown},
			{Conversation: "keep:kept", Entry: persistence.EntryMerged, Fate: actors.FateLater},
			{Conversation: "keep:large", Entry: persistence.EntryMerged, Fate: actors.FateShown},
			{Conversation: "keep:new", Entry: persistence.EntryActive, At: second, Fate: actors.FateShown},
			{Conversation: "keep:hidden", Entry: persistence.EntryActive, At: first, Fate: actors.FateFiltered},
			{Conversation: "keep:old", Entry: persistence.EntryActive, At: first, Fate: actors.FateLater},
			{Conversation: "keep:older", Entry: persistence.EntryActive, At: first, Fate: actors.FateLater},
		}
		if diff := cmp.Diff(want, got.LookedUp); diff != "" || got.LeftOut != 0 {
			t.Errorf("looked up, but for %d (-want +got):\n%s", got.LeftOut, diff)
		}
		if c := got.Page.Cost; c.Conversations != len(want) || c.Merged != 2 || c.Entries < len(want) || c.Rows < 2*len(want) {
			t.Errorf("the cost is %+v, want %d conversations, of which 2 merged, and at least 2 rows of each", c, len(want))
		}
		if stats := e.Stats().Lists; stats.Calls != 0 {
			t.Errorf("explaining is counted as %+v", stats)
		}

		// The next page goes on where this one ended.
		got, err = e.ExplainConversations(t.Context(), actors.ListQuery{User: "ann", Limit: 3, PageToken: got.Page.NextPageToken})
		if err != nil {
			t.Fatal(err)
		}
		fates := map[string]actors.Fate{}
		for _, l := range got.LookedUp {
			fates[l.Conversation] = l.Fate
		}
		wantFates := map[string]actors.Fate{
			"keep:kept": actors.FateShown, "keep:large": actors.FateEarlier, "keep:new": actors.FateEarlier, "keep:hidden": actors.FateFiltered,
			"keep:old": actors.FateShown, "keep:older": actors.FateShown, "keep:pinned": actors.FateEarlier,
		}
		if diff := cmp.Diff(wantFates, fates); diff != "" {
			t.Errorf("fates on the second page (-want +got):\n%s", diff)
		}
	})
}

func TestAnExplanationTellsWhatIsGoneFromWhatIsFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:over", "bob", 1, "ann")
		e.Advance(30 * time.Minute)
		e.Post("group:read", "bob", 1, "ann")
		e.Read("group:read", "ann", 1)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return actorstest.ErrBroken }}) // so that it stays where it is
		e.Advance(30 * time.Minute)
		got, err := e.ExplainConversations(t.Context(), actors.ListQuery{User: "ann", UnreadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		fates := map[string]actors.Fate{}
		for _, l := range got.LookedUp {
			fates[l.Conversation] = l.Fate
		}
		if diff := cmp.Diff(map[string]actors.Fate{"group:over": actors.FateGone, "group:read": actors.FateFiltered}, fates); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
		e.Heal()
	})
}

func TestEveryAnswerAboutAUsersConversationsIsToldWithWhatItTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []actors.ReadInfo
		e := actorstest.Start(t, actors.Config{Observer: &actors.Observer{Read: func(i actors.ReadInfo) { told = append(told, i) }}})
		e.Post("group:1", "bob", 1, "ann")
		e.Post("group:2", "bob", 1, "ann")
		e.Advance(time.Second) // all of it is in the store
		list, err := e.Conversations(t.Context(), actors.ListQuery{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		badge, err := e.Badge(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		want := []actors.ReadInfo{
			{What: "list", User: "ann", Cost: list.Cost}, {What: "badge", User: "ann", Cost: badge.Cost}, {What: "sync", User: "ann", Cost: page.Cost},
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		for _, info := range told {
			if info.Cost.Conversations != 2 || info.Cost.Rows < 4 || info.Cost.Entries < 2 {
				t.Errorf("the %s is said to have cost %+v, want two conversations with what leads to them and their rows", info.What, info.Cost)
			}
		}

		// What takes time says how much, and what fails why; what is refused reads nothing.
		told = nil
		e.Store.SetFaults(persistencetest.Faults{Snapshot: func() error {
			time.Sleep(time.Second) // virtual: the store is slow before it fails
			return actorstest.ErrBroken
		}})
		if _, err := e.Conversations(t.Context(), actors.ListQuery{}); !errors.Is(err, conversation.ErrInvalid) {
			t.Errorf("nobody's list: %v", err)
		}
		for what, ask := range map[string]func(context.Context) error{
			"list": func(ctx context.Context) error {
				_, err := e.Conversations(ctx, actors.ListQuery{User: "ann"})
				return err
			},
			"badge": func(ctx context.Context) error { _, err := e.Badge(ctx, "ann"); return err },
			"sync":  func(ctx context.Context) error { _, err := e.Sync(ctx, actors.SyncQuery{User: "ann"}); return err },
		} {
			told = nil
			err := ask(t.Context())
			if err == nil || len(told) != 1 || told[0].What != what || !errors.Is(told[0].Err, actorstest.ErrBroken) || told[0].Took < time.Second {
				t.Errorf("%s from a slow store that fails: %v, told %+v", what, err, told)
			}
		}
		e.Heal()
	})
}
