package actors_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Of conversations that were all active in one hour, small pages are found by asking the heads first, and one large page by looking at all: the pages together are the
// large one, pinned, hidden, muted and left conversations and those with the same time included.
func TestSmallPagesOfABusyHourAreThoseOfOneLargePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		const n = 150
		r := rand.New(rand.NewPCG(1, 2))
		hour := time.Now().Truncate(time.Hour)
		time.Sleep(time.Until(hour.Add(59 * time.Minute))) // virtual: near the hour's end
		always, pin := persistence.HideAlways, uint64(0)
		for _, i := range r.Perm(n) {
			name := fmt.Sprintf("group:%03d", i)
			e.Do(name, &conversation.Post{
				Seq: 1, Sender: "bob", Members: []string{"ann"}, SentAt: hour.Add(time.Duration(r.IntN(40)) * time.Minute),
			})
			switch r.IntN(10) {
			case 0:
				pin++
				e.Do(name, &conversation.Set{User: "ann", Pin: &pin})
			case 1:
				e.Do(name, &conversation.Set{User: "ann", Hide: &always})
			case 2:
				e.Do(name, &conversation.Leave{Users: []string{"ann"}})
			case 3:
				e.Do(name, &conversation.Leave{Users: []string{"ann"}, Keep: true})
			}
		}
		list := func(q actors.ListQuery) actors.ListPage {
			page, err := e.Conversations(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		want := list(actors.ListQuery{User: "ann", Limit: actors.MaxPage}).Conversations
		if len(want) < n/2 || pin == 0 {
			t.Fatalf("%d conversations are listed and %d pinned: the test does not test what it is for", len(want), pin)
		}
		for _, limit := range []int{1, 7, 20, 60} {
			var got []conversation.View
			for token, more := "", true; more; {
				page := list(actors.ListQuery{User: "ann", Limit: limit, PageToken: token})
				got = append(got, page.Conversations...)
				// Besides the heads, what may be on the page; those that the user hides or left without keeping them are in between.
				if read := page.Cost.Conversations; read > n+3*(limit+1)+int(pin)+n/5 {
					t.Errorf("a page of %d read %d times of %d conversations", limit, read, n)
				}
				token, more = page.NextPageToken, page.NextPageToken != ""
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d (-one large page +small ones):\n%s", limit, diff)
			}
		}
		if page := list(actors.ListQuery{User: "ann"}); page.Cost.Rows > 0 && len(page.Conversations) != min(actors.DefaultPage, len(want)) {
			t.Errorf("the default page has %d conversations of %d", len(page.Conversations), len(want))
		}
	})
}

// Several goroutines look up for one answer: it has each conversation once, and what was applied before.
func TestAnAnswerOverManyConversationsHasEachAsItIs(t *testing.T) {
	e := actorstest.Start(t, actors.Config{FlushInterval: time.Microsecond})
	const n = 700
	want := map[string]uint64{}
	for round := range uint64(2) {
		var batch []*actors.Proposal
		for i := range n {
			if round == 1 && i%3 != 0 {
				continue // these are in the store by now, as far as nothing else came
			}
			name := fmt.Sprintf("group:%03d", i)
			want[name] = round + 1
			batch = append(batch, &actors.Proposal{
				Conversation: name, Ack: actors.AckApplied, Change: &conversation.Post{Seq: round + 1, Sender: "bob", Members: []string{"ann"}},
			})
		}
		if _, err := e.ProposeBatch(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	page, err := e.Conversations(context.Background(), actors.ListQuery{User: "ann", Limit: actors.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, view := range page.Conversations {
		got[view.Conversation] = view.LastSeq
		if view.Membership.Unread != view.LastSeq || view.Peer != "bob" {
			t.Errorf("%s: unread %d of %d, peer %q", view.Conversation, view.Membership.Unread, view.LastSeq, view.Peer)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("last messages (-want +got):\n%s", diff)
	}
}
