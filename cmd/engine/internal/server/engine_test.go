package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// startReal is start with a real engine on a store in memory.
func startReal(t *testing.T) (*fixture, *actors.Engine) {
	t.Helper()
	store := persistencetest.NewStore()
	engine, err := actors.Start(t.Context(), nil, store, actors.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := engine.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return start(t, engine), engine
}

func postRequest(name string, post *parleyv1.Post) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: name, Change: &parleyv1.ProposeRequest_Post{Post: post}}
}

func TestARealEngineAnswersAlikeOverEveryWire(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			name := "wire:" + wire
			ann, bob := "ann over "+wire, "bob over "+wire
			posted, err := client.Propose(t.Context(), postRequest(name, &parleyv1.Post{
				Seq: 1, Sender: ann, Preview: []byte("hello"), Members: []string{bob}, Mentions: []string{bob},
			}))
			if err != nil {
				t.Fatal(err)
			}
			if !posted.GetChanged() || posted.GetLastSeq() != 1 || posted.GetGeneration() == 0 || posted.GetAck() != parleyv1.Ack_ACK_COMMITTED {
				t.Errorf("posted: %v", posted)
			}
			view, err := client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{Conversation: name, User: bob})
			if err != nil {
				t.Fatal(err)
			}
			if m := view.GetMembership(); m.GetUnread() != 1 || m.GetMentions() != 1 || view.GetPeer() != ann || string(view.GetPreview()) != "hello" {
				t.Errorf("bob sees %v", view)
			}
			batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{
				{Conversation: name, Tag: 1, Change: &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: bob, Seq: 1}}},
				{Conversation: name, Tag: 2, Change: &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: bob, Seq: 1}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if r := batch.GetResponses(); len(r) != 2 || !r[0].GetChanged() || r[1].GetChanged() || r[1].GetTag() != 2 || r[1].GetError() != nil {
				t.Errorf("read twice: %v", r)
			}
			list, err := client.ListConversations(t.Context(), &parleyv1.ListConversationsRequest{User: bob})
			if err != nil {
				t.Fatal(err)
			}
			if c := list.GetConversations(); len(c) != 1 || c[0].GetConversation() != name || c[0].GetMembership().GetUnread() != 0 {
				t.Errorf("bob's list: %v", c)
			}
			members, err := client.ListMembers(t.Context(), &parleyv1.ListMembersRequest{Conversation: name})
			if err != nil {
				t.Fatal(err)
			}
			if m := members.GetMembers(); len(m) != 2 || m[0].GetUser() != ann || m[1].GetUser() != bob {
				t.Errorf("members: %v", m)
			}
		})
	}
}

func TestAnEngineRefusesAlikeThroughEveryDoor(t *testing.T) {
	f, engine := startReal(t)
	long, many := strings.Repeat("x", 256), make([]string, 1001)
	for i := range many {
		many[i] = "u"
	}
	post := func(change func(*parleyv1.Post)) *parleyv1.ProposeRequest {
		p := &parleyv1.Post{Seq: 1, Sender: "ann"}
		change(p)
		return postRequest("group:42", p)
	}
	named := func(name string) *parleyv1.ProposeRequest {
		return postRequest(name, &parleyv1.Post{Seq: 1, Sender: "ann"})
	}
	amend := func(a *parleyv1.Amend) *parleyv1.ProposeRequest {
		return &parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Amend{Amend: a}}
	}
	deliver := func(d *parleyv1.Deliver) *parleyv1.ProposeRequest {
		return &parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Deliver{Deliver: d}}
	}
	markUnread := func(m *parleyv1.MarkUnread) *parleyv1.ProposeRequest {
		return &parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_MarkUnread{MarkUnread: m}}
	}
	set := func(s *parleyv1.Set) *parleyv1.ProposeRequest { return setRequest("group:42", s) }
	tests := []struct {
		name    string
		request *parleyv1.ProposeRequest
		field   string
	}{
		{"no id", named(""), "conversation"},
		{"an id of 256 bytes", named("g:" + long[2:]), "conversation"},
		{"no namespace", named("group"), "conversation"},
		{"an empty namespace", named(":42"), "conversation"},
		{"an empty name", named("group:"), "conversation"},
		{"a NUL", named("group:\x00"), "conversation"},
		{"seq 0", post(func(p *parleyv1.Post) { p.Seq = 0 }), "post.seq"},
		{"no sender", post(func(p *parleyv1.Post) { p.Sender = "" }), "post.sender"},
		{"a sender of 256 bytes", post(func(p *parleyv1.Post) { p.Sender = long }), "post.sender"},
		{"a large preview", post(func(p *parleyv1.Post) { p.Preview = make([]byte, 513) }), "post.preview"},
		{"101 mentions", post(func(p *parleyv1.Post) { p.Mentions = many[:101] }), "post.mentions"},
		{"1,001 members", post(func(p *parleyv1.Post) { p.Members = many }), "post.members"},
		{"a bad mention", post(func(p *parleyv1.Post) { p.Mentions = []string{"ok", ""} }), "post.mentions[1]"},
		{"a join of nobody", &parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Join{Join: &parleyv1.Join{}}}, "join.users"},
		{"an amendment of 0", amend(&parleyv1.Amend{}), "amend.seq"},
		{"an amendment above 2^62", amend(&parleyv1.Amend{Seq: 1<<62 + 1}), "amend.seq"},
		{"an amendment above the last", amend(&parleyv1.Amend{Seq: 2}), "amend.seq"},
		{"a large preview in an amendment", amend(&parleyv1.Amend{Seq: 1, Preview: make([]byte, 513)}), "amend.preview"},
		{"a delivery of 0", deliver(&parleyv1.Deliver{User: "ann"}), "deliver.seq"},
		{"a delivery far ahead", deliver(&parleyv1.Deliver{User: "ann", Seq: 1_000_002}), "deliver.seq"},
		{"a delivery to nobody", deliver(&parleyv1.Deliver{Seq: 1}), "deliver.user"},
		{"a mark of nobody", markUnread(&parleyv1.MarkUnread{Seq: 1}), "mark_unread.user"},
		{"a mark above 2^62", markUnread(&parleyv1.MarkUnread{User: "ann", Seq: 1<<62 + 1}), "mark_unread.seq"},
		{"a mark above the last", markUnread(&parleyv1.MarkUnread{User: "ann", Seq: 2}), "mark_unread.seq"},
		{"settings of nobody", set(&parleyv1.Set{}), "set.user"},
		{"settings of a user of 256 bytes", set(&parleyv1.Set{User: long}), "set.user"},
		{"1,025 bytes of custom data", set(&parleyv1.Set{User: "ann", Custom: make([]byte, 1025)}), "set.custom"},
		{"a draft of 4,097 bytes", set(&parleyv1.Set{User: "ann", Draft: &parleyv1.Draft{Text: make([]byte, 4097)}}), "set.draft.text"},
		{"a long origin", &parleyv1.ProposeRequest{
			Conversation: "group:42", Origin: long[:65], Change: &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{Seq: 1, Sender: "ann"}},
		}, "origin"},
		{"a delete of no generation", &parleyv1.ProposeRequest{
			Conversation: "group:42", Change: &parleyv1.ProposeRequest_Delete{Delete: &parleyv1.Delete{}},
		}, "if_generation"},
	}
	// A delete is asked for its generation only where there is something to delete.
	if _, err := f.wires()["gRPC"].Propose(t.Context(), named("group:42")); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			proposal, err := proposalOf(test.request)
			if err != nil {
				t.Fatal(err)
			}
			_, err = engine.Propose(t.Context(), proposal)
			if err == nil {
				t.Fatal("the engine takes it")
			}
			inProcess := refusalOf(t.Context(), err)
			if inProcess.code != connect.CodeInvalidArgument || inProcess.detail.GetField() != test.field {
				t.Fatalf("in process it is refused with %v, want an invalid %s", err, test.field)
			}
			for wire, client := range f.wires() {
				_, err := client.Propose(t.Context(), test.request)
				if diff := cmp.Diff(inProcess.detail, detailOf(t, err), protocmp.Transform()); diff != "" || connect.CodeOf(err) != inProcess.code {
					t.Errorf("over %s it is %v (-in process +there):\n%s", wire, connect.CodeOf(err), diff)
				}
				batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{test.request, named("ok:1")}})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(inProcess.detail, batch.GetResponses()[0].GetError(), protocmp.Transform()); diff != "" {
					t.Errorf("in a batch over %s (-in process +there):\n%s", wire, diff)
				}
				if other := batch.GetResponses()[1].GetError(); other != nil {
					t.Errorf("beside it in a batch over %s a good post is refused: %v", wire, other)
				}
			}
		})
	}
}

func TestAStoppedEngineIsUnavailableOverEveryWire(t *testing.T) {
	f, engine := startReal(t)
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			_, err := client.Propose(t.Context(), readRequest("group:42"))
			if connect.CodeOf(err) != connect.CodeUnavailable || detailOf(t, err).GetCode() != parleyv1.Code_CODE_UNAVAILABLE {
				t.Errorf("Propose: %v, want unavailable", err)
			}
			batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{readRequest("group:42")}})
			if err == nil {
				if code := batch.GetResponses()[0].GetError().GetCode(); code != parleyv1.Code_CODE_UNAVAILABLE {
					t.Errorf("ProposeBatch: %v, want unavailable", batch)
				}
			} else if connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("ProposeBatch: %v, want unavailable", err)
			}
			_, err = client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{Conversation: "group:42"})
			if connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("GetConversation: %v, want unavailable", err)
			}
		})
	}
}

func TestAConflictNamesTheGeneration(t *testing.T) {
	f, _ := startReal(t)
	client := f.wires()["gRPC"]
	posted, err := client.Propose(t.Context(), postRequest("group:42", &parleyv1.Post{Seq: 1, Sender: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	request := readRequest("group:42")
	request.IfGeneration = posted.GetGeneration() + 1
	_, err = client.Propose(t.Context(), request)
	if detail := detailOf(t, err); connect.CodeOf(err) != connect.CodeAborted || detail.GetCode() != parleyv1.Code_CODE_CONFLICT {
		t.Errorf("refused with %v, want a conflict", err)
	}
	request.IfGeneration = posted.GetGeneration()
	if _, err := client.Propose(t.Context(), request); err != nil {
		t.Errorf("with the right generation: %v", err)
	}
}

var _ Engine = (*actors.Engine)(nil)
