package server

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// clientDoor uses the generated client.
type clientDoor struct {
	server *Server
	client parleyv1connect.ConversationServiceClient
}

func (d *clientDoor) use(engine *actors.Engine) { d.server.Ready(engine) }

func (d *clientDoor) propose(t *testing.T, request, extra []byte) (*parleyv1.ProposeResponse, *refusal) {
	t.Helper()
	r := parse(t, request, &parleyv1.ProposeRequest{})
	r.ProtoReflect().SetUnknown(extra)
	response, err := d.client.Propose(t.Context(), r)
	return response, wireRefusal(t, err)
}

func (d *clientDoor) batch(t *testing.T, requests [][]byte) []*parleyv1.ProposeResponse {
	t.Helper()
	batch := &parleyv1.ProposeBatchRequest{}
	for _, request := range requests {
		batch.Requests = append(batch.Requests, parse(t, request, &parleyv1.ProposeRequest{}))
	}
	response, err := d.client.ProposeBatch(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return response.GetResponses()
}

func (d *clientDoor) get(t *testing.T, request []byte) (*parleyv1.Conversation, *refusal) {
	t.Helper()
	response, err := d.client.GetConversation(t.Context(), parse(t, request, &parleyv1.GetConversationRequest{}))
	return response, wireRefusal(t, err)
}

func (d *clientDoor) list(t *testing.T, request []byte) (*parleyv1.ListConversationsResponse, *refusal) {
	t.Helper()
	response, err := d.client.ListConversations(t.Context(), parse(t, request, &parleyv1.ListConversationsRequest{}))
	return response, wireRefusal(t, err)
}

func (d *clientDoor) sync(t *testing.T, request []byte) (*parleyv1.SyncResponse, *refusal) {
	t.Helper()
	response, err := d.client.Sync(t.Context(), parse(t, request, &parleyv1.SyncRequest{}))
	return response, wireRefusal(t, err)
}

func (d *clientDoor) members(t *testing.T, request []byte) (*parleyv1.ListMembersResponse, *refusal) {
	t.Helper()
	response, err := d.client.ListMembers(t.Context(), parse(t, request, &parleyv1.ListMembersRequest{}))
	return response, wireRefusal(t, err)
}

func (d *clientDoor) forget(t *testing.T, request []byte) (*parleyv1.ForgetUserResponse, *refusal) {
	t.Helper()
	response, err := d.client.ForgetUser(t.Context(), parse(t, request, &parleyv1.ForgetUserRequest{}))
	return response, wireRefusal(t, err)
}

// wireRefusal is what a call's error says.
func wireRefusal(t *testing.T, err error) *refusal {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		t.Fatalf("error is a %T: %v", err, err)
	}
	return &refusal{code: e.Code(), detail: detailOf(t, err)}
}

// jsonDoor posts the text of a vector as it stands, as a person with curl would.
type jsonDoor struct {
	server    *Server
	transport *http.Transport
}

func (d *jsonDoor) use(engine *actors.Engine) { d.server.Ready(engine) }

// sending returns a door whose client sends the text, whatever it is asked to send.
func (d *jsonDoor) sending(text []byte) *clientDoor {
	transport := rawBody{contentType: "application/json", body: text, next: d.transport}
	return &clientDoor{server: d.server, client: pipedClient(transport, connect.WithProtoJSON())}
}

// nothing is what the client is asked to send instead.
var nothing = []byte("{}")

func (d *jsonDoor) propose(t *testing.T, request, extra []byte) (*parleyv1.ProposeResponse, *refusal) {
	t.Helper()
	if extra != nil {
		t.Fatal("only binary messages can have unknown fields")
	}
	return d.sending(request).propose(t, nothing, nil)
}

func (d *jsonDoor) batch(t *testing.T, requests [][]byte) []*parleyv1.ProposeResponse {
	t.Helper()
	text := slices.Concat([]byte(`{"requests":[`), bytes.Join(requests, []byte(",")), []byte(`]}`))
	return d.sending(text).batch(t, nil)
}

func (d *jsonDoor) get(t *testing.T, request []byte) (*parleyv1.Conversation, *refusal) {
	t.Helper()
	return d.sending(request).get(t, nothing)
}

func (d *jsonDoor) list(t *testing.T, request []byte) (*parleyv1.ListConversationsResponse, *refusal) {
	t.Helper()
	return d.sending(request).list(t, nothing)
}

func (d *jsonDoor) sync(t *testing.T, request []byte) (*parleyv1.SyncResponse, *refusal) {
	t.Helper()
	return d.sending(request).sync(t, nothing)
}

func (d *jsonDoor) members(t *testing.T, request []byte) (*parleyv1.ListMembersResponse, *refusal) {
	t.Helper()
	return d.sending(request).members(t, nothing)
}

func (d *jsonDoor) forget(t *testing.T, request []byte) (*parleyv1.ForgetUserResponse, *refusal) {
	t.Helper()
	return d.sending(request).forget(t, nothing)
}
