package actors_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// wantField fails the test unless err is a refusal of that kind which names the field.
func wantField(t *testing.T, err, kind error, field string) {
	t.Helper()
	refusal, ok := errors.AsType[*conversation.Error](err)
	if !ok || !errors.Is(err, kind) || refusal.Field != field {
		t.Errorf("got %v, want %v of field %q", err, kind, field)
	}
}

// badProposals is what every door refuses, with the field that the refusal names.
func badProposals() map[string]*actors.Proposal {
	post := func(change func(p *conversation.Post)) *actors.Proposal {
		p := &conversation.Post{Seq: 2, Sender: "ann"}
		change(p)
		return &actors.Proposal{Conversation: "group:42", Change: p}
	}
	named := func(name string) *actors.Proposal {
		return &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: 1, Sender: "ann"}}
	}
	of := func(change conversation.Change) *actors.Proposal {
		return &actors.Proposal{Conversation: "group:42", Change: change}
	}
	long := strings.Repeat("x", 256)
	return map[string]*actors.Proposal{
		"conversation 1": named(""),
		"conversation 2": named("group:" + long[:250]),
		"conversation 3": named("nonamespace"),
		"conversation 4": named(":noname"),
		"conversation 5": named("group:"),
		"conversation 6": named("group:a\x00b"),
		"conversation 7": named("group:\xff"),

		"change":            of(nil),
		"post":              of((*conversation.Post)(nil)),
		"ack":               {Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: 3},
		"origin":            {Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Origin: long[:65]},
		"post.seq 1":        post(func(p *conversation.Post) { p.Seq = 0 }),
		"post.seq 2":        post(func(p *conversation.Post) { p.Seq = 1 << 63 }),
		"post.seq 3":        post(func(p *conversation.Post) { p.Seq = 2_000_000 }),
		"post.sender 1":     post(func(p *conversation.Post) { p.Sender = "" }),
		"post.sender 2":     post(func(p *conversation.Post) { p.Sender = long }),
		"post.preview":      post(func(p *conversation.Post) { p.Preview = make([]byte, 513) }),
		"post.mentions":     post(func(p *conversation.Post) { p.Mentions = slicesOf("bob", 101) }),
		"post.mentions[1]":  post(func(p *conversation.Post) { p.Mentions = []string{"bob", ""} }),
		"post.members":      post(func(p *conversation.Post) { p.Members = slicesOf("bob", 1001) }),
		"post.members[0]":   post(func(p *conversation.Post) { p.Members = []string{"a\x00"} }),
		"join.users 1":      of(&conversation.Join{}),
		"join.users 2":      of(&conversation.Join{Users: slicesOf("bob", 1001)}),
		"join.visible_from": of(&conversation.Join{Users: []string{"bob"}, VisibleFrom: 1 << 63}),
		"join.unread_from":  of(&conversation.Join{Users: []string{"bob"}, UnreadFrom: 1 << 40}),
		"leave.users":       of(&conversation.Leave{}),
		"leave.users[0]":    of(&conversation.Leave{Users: []string{long}}),
		"read.user":         of(&conversation.Read{Seq: 1}),
		"read.seq 1":        of(&conversation.Read{User: "ann"}),
		"read.seq 2":        of(&conversation.Read{User: "ann", Seq: 2_000_000}),
		"clear.seq":         of(&conversation.Clear{User: "ann"}),
		"if_generation":     of(&conversation.Delete{}),
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestBadInputIsRefusedAtEveryDoorAlikeAndHarmsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		e := actorstest.StartOn(t, persistencetest.NewStore(), system, actors.Config{})
		e.Post("group:42", "ann", 1)
		before := e.View("group:42", "ann")
		var answered *actors.Reply
		collector := collect(t, system, func(r *actors.Reply) { answered = r })
		for name, p := range badProposals() {
			field, _, _ := strings.Cut(name, " ")
			_, err := e.Propose(t.Context(), p)
			wantField(t, err, conversation.ErrInvalid, field)
			batch, failure := e.ProposeBatch(t.Context(), []*actors.Proposal{p})
			if failure != nil {
				t.Fatalf("%s: the batch failed as a whole: %v", name, failure)
			}
			answered = nil
			system.Root.RequestWithCustomSender(e.PID(), p, collector)
			synctest.Wait()
			if answered == nil {
				t.Fatalf("%s: a request got no reply", name)
			}
			if batch[0].Err.Error() != err.Error() || answered.Err.Error() != err.Error() {
				t.Errorf("%s: Propose said %q, ProposeBatch %q, Request %q", name, err, batch[0].Err, answered.Err)
			}
		}
		_, err := e.Propose(t.Context(), nil)
		wantField(t, err, conversation.ErrInvalid, "proposal")
		_, err = e.ProposeBatch(t.Context(), make([]*actors.Proposal, actors.MaxBatch+1))
		wantField(t, err, conversation.ErrInvalid, "requests")
		if after := e.View("group:42", "ann"); after.Version != before.Version || after.Members != 1 {
			t.Errorf("the conversation changed: %+v", after)
		}
		if p := e.Stats().Proposals; p.Received != p.Applied+p.Refused || p.Applied != 1 {
			t.Errorf("proposals: %+v, want one applied and all others refused", p)
		}
	})
}

func TestBadQuestionsNameTheField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:42", "ann", 1)
		_, err := e.Get(t.Context(), "42", "")
		wantField(t, err, conversation.ErrInvalid, "conversation")
		_, err = e.Get(t.Context(), "group:42", "a\x00")
		wantField(t, err, conversation.ErrInvalid, "user")
		_, err = e.Get(t.Context(), "group:43", "")
		wantField(t, err, conversation.ErrNotFound, "")
		_, err = e.Conversations(t.Context(), actors.ListQuery{})
		wantField(t, err, conversation.ErrInvalid, "user")
		_, err = e.Conversations(t.Context(), actors.ListQuery{User: "ann", Limit: 1001})
		wantField(t, err, conversation.ErrInvalid, "limit")
		for _, token := range []string{"?", "e30", "bm8", "eyJuIjoiYSJ9"} {
			_, err = e.Conversations(t.Context(), actors.ListQuery{User: "ann", PageToken: token})
			wantField(t, err, conversation.ErrInvalid, "page_token")
			_, err = e.Members(t.Context(), actors.MembersQuery{Conversation: "group:42", PageToken: "?" + token})
			wantField(t, err, conversation.ErrInvalid, "page_token")
		}
		_, err = e.Members(t.Context(), actors.MembersQuery{Conversation: "group:42", Users: []string{""}})
		wantField(t, err, conversation.ErrInvalid, "users[0]")
		_, err = e.Members(t.Context(), actors.MembersQuery{Conversation: "group:42", Limit: -1})
		wantField(t, err, conversation.ErrInvalid, "limit")
		_, err = e.Members(t.Context(), actors.MembersQuery{Conversation: "group:43"})
		wantField(t, err, conversation.ErrNotFound, "")
	})
}

func TestSendIsFireAndForgetAndItsRefusalsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		var told []actors.UnansweredInfo
		e := actorstest.StartOn(t, persistencetest.NewStore(), system, actors.Config{
			Observer: &actors.Observer{Unanswered: func(info actors.UnansweredInfo) { told = append(told, info) }},
		})
		system.Root.Send(e.PID(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
		system.Root.Send(e.PID(), &actors.Proposal{Conversation: "group:43", Change: &conversation.Read{User: "ann", Seq: 1}})
		synctest.Wait()
		if v := e.View("group:42", "ann"); v == nil || v.LastSeq != 1 {
			t.Errorf("the post that was sent: got %+v", v)
		}
		if len(told) != 1 || told[0].Conversation != "group:43" || told[0].Kind != "read" || !errors.Is(told[0].Err, conversation.ErrNotFound) {
			t.Errorf("told: %+v, want the read of a conversation that is not there", told)
		}
		system.Root.Send(e.PID(), nil)
		system.Root.Send(e.PID(), "hello")
		synctest.Wait()
		if got := e.Failed(); len(got) != 2 {
			t.Errorf("unexpected messages: told %+v, want two", got)
		}
	})
}

func TestAFullQueueRefusesAtOnceAndTheRestOfTheBatchWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		config := actors.Config{MaxQueue: 3}
		e := actorstest.Start(t, config)
		e.Store.SetFaults(persistencetest.Faults{Get: func([]byte) error { <-release; return nil }})
		var batch []*actors.Proposal
		for seq := range uint64(6) {
			batch = append(batch, &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}})
		}
		var replies []actors.Reply
		go func() { replies, _ = e.ProposeBatch(t.Context(), batch) }()
		synctest.Wait()
		close(release)
		synctest.Wait()
		for i, r := range replies {
			if refused := i >= 3; refused != errors.Is(r.Err, conversation.ErrOverloaded) {
				t.Errorf("proposal %d: %v", i, r.Err)
			}
		}
		if refusal, ok := errors.AsType[*conversation.Error](replies[5].Err); !ok || refusal.RetryAfter == 0 {
			t.Errorf("the refusal does not say when to try again: %v", replies[5].Err)
		}
	})
}
