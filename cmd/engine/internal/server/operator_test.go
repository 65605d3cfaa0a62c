package server

import (
	"context"
	"fmt"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// operators returns a client of the operator's service for each way to speak to the server.
func (f *fixture) operators() map[string]parleyv1connect.OperatorServiceClient {
	return map[string]parleyv1connect.OperatorServiceClient{
		"gRPC":           parleyv1connect.NewOperatorServiceClient(f.h2c, f.url, connect.WithGRPC()),
		"gRPC-Web":       parleyv1connect.NewOperatorServiceClient(f.client, f.url, connect.WithGRPCWeb()),
		"Connect binary": parleyv1connect.NewOperatorServiceClient(f.client, f.url),
		"Connect JSON":   parleyv1connect.NewOperatorServiceClient(f.client, f.url, connect.WithProtoJSON()),
	}
}

func TestARewindReachesTheEngineAsItWasSentOverEveryWire(t *testing.T) {
	var got *actors.Proposal
	f := start(t, &fakeEngine{propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
		got = p
		return actors.Reply{Generation: 1 << 60, Version: 2, LastSeq: 3, Changed: true}, nil
	}})
	request := &parleyv1.RewindRequest{Conversation: "group:42", From: 1 << 61, To: 3, IfGeneration: 1 << 60}
	for wire, client := range f.operators() {
		t.Run(wire, func(t *testing.T) {
			response, err := client.Rewind(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			want := &actors.Proposal{Conversation: "group:42", Change: &conversation.Rewind{From: 1 << 61, To: 3}, IfGeneration: 1 << 60}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("proposal (-want +got):\n%s", diff)
			}
			wantResponse := &parleyv1.RewindResponse{Generation: 1 << 60, Version: 2, LastSeq: 3, Changed: true}
			if diff := cmp.Diff(wantResponse, response, protocmp.Transform()); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARefusedRewindNamesTheFieldOfItsOwnRequest(t *testing.T) {
	f, _ := startReal(t)
	client := f.operators()["gRPC"]
	post := func(name string, seq uint64) {
		t.Helper()
		if _, err := f.wires()["gRPC"].Propose(t.Context(), postRequest(name, &parleyv1.Post{Seq: seq, Sender: "ann"})); err != nil {
			t.Fatal(err)
		}
	}
	post("group:42", 5)
	tests := []struct {
		name           string
		request        *parleyv1.RewindRequest
		code           connect.Code
		wire           parleyv1.Code
		field, message string
	}{
		{
			"another last number", &parleyv1.RewindRequest{Conversation: "group:42", From: 7, To: 3},
			connect.CodeAborted, parleyv1.Code_CODE_CONFLICT, "from", "group:42: from is not the last message's number, which is 5",
		},
		{
			"forwards", &parleyv1.RewindRequest{Conversation: "group:42", From: 5, To: 6},
			connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "to", "to must be below from, 5, is 6",
		},
		{
			"no name", &parleyv1.RewindRequest{From: 5, To: 3},
			connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "conversation", "conversation must not be empty",
		},
		{
			"nothing there", &parleyv1.RewindRequest{Conversation: "group:43", From: 5, To: 3},
			connect.CodeNotFound, parleyv1.Code_CODE_NOT_FOUND, "", "group:43: no such conversation",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.Rewind(t.Context(), test.request)
			wantRefusal(t, err, test.code, test.wire, test.field, test.message)
		})
	}
	t.Run("too often", func(t *testing.T) {
		for i := range uint64(64) {
			post("group:44", 1_000+i)
			if _, err := client.Rewind(t.Context(), &parleyv1.RewindRequest{Conversation: "group:44", From: 1_000 + i, To: i}); err != nil {
				t.Fatalf("rewind %d: %v", i, err)
			}
		}
		post("group:44", 2_000)
		_, err := client.Rewind(t.Context(), &parleyv1.RewindRequest{Conversation: "group:44", From: 2_000, To: 900})
		wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "to", fmt.Sprint("group:44: to must be lower: the conversation ",
			"was done 64 times in this generation: delete it and begin the next"))
	})
}
