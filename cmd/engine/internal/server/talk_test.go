package server

import (
	"testing"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// talk is a conversation of ann, who posts, and bob, as one client sees it.
type talk struct {
	client   parleyv1connect.ConversationServiceClient
	name     string
	ann, bob string
}

// talks returns a conversation of two with three messages for a client that speaks JSON, and one for a client that speaks gRPC.
func talks(t *testing.T) map[string]*talk {
	t.Helper()
	f, _ := startReal(t)
	talks := map[string]*talk{}
	for _, wire := range []string{"Connect JSON", "gRPC"} {
		c := &talk{client: f.wires()[wire], name: "wire:" + wire, ann: "ann over " + wire, bob: "bob over " + wire}
		for seq := range uint64(3) {
			c.propose(t, postRequest(c.name, &parleyv1.Post{
				Seq: seq + 1, Sender: c.ann, Preview: []byte("hello"), Members: []string{c.bob}, Mentions: []string{c.bob},
			}))
		}
		talks[wire] = c
	}
	return talks
}

func (c *talk) propose(t *testing.T, request *parleyv1.ProposeRequest) *parleyv1.ProposeResponse {
	t.Helper()
	response, err := c.client.Propose(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func (c *talk) amend(amend *parleyv1.Amend) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_Amend{Amend: amend}}
}

func (c *talk) markUnread(seq uint64) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_MarkUnread{
		MarkUnread: &parleyv1.MarkUnread{User: c.bob, Seq: seq},
	}}
}

func (c *talk) read(seq uint64) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: c.bob, Seq: seq}}}
}

func (c *talk) deliver(seq uint64) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_Deliver{
		Deliver: &parleyv1.Deliver{User: c.bob, Seq: seq},
	}}
}

func (c *talk) hold(on bool) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_Hold{Hold: &parleyv1.Hold{On: on}}}
}

// get returns the conversation as the user sees it.
func (c *talk) get(t *testing.T, user string) *parleyv1.Conversation {
	t.Helper()
	view, err := c.client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{Conversation: c.name, User: user})
	if err != nil {
		t.Fatal(err)
	}
	return view
}

// listed returns the conversations of bob's that a list has.
func (c *talk) listed(t *testing.T, request *parleyv1.ListConversationsRequest) []*parleyv1.Conversation {
	t.Helper()
	request.User = c.bob
	list, err := c.client.ListConversations(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return list.GetConversations()
}
