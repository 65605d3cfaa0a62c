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
)

// echoBatch applies everything, but refuses the conversation "x:full" as overloaded.
func echoBatch(_ context.Context, ps []*actors.Proposal) ([]actors.Reply, error) {
	replies := make([]actors.Reply, len(ps))
	for i, p := range ps {
		replies[i] = actors.Reply{Conversation: p.Conversation, Tag: p.Tag, Ack: actors.AckCommitted}
		if p.Conversation == "x:full" {
			replies[i].Ack = actors.AckDefault
			replies[i].Err = &conversation.Error{Kind: conversation.ErrOverloaded, Conversation: p.Conversation, Reason: "its queue is full", RetryAfter: 1}
		}
	}
	return replies, nil
}

func TestEachRequestOfABatchIsAnsweredAtItsOwnPlace(t *testing.T) {
	f := start(t, &fakeEngine{proposeBatch: echoBatch})
	var requests []*parleyv1.ProposeRequest
	for i, name := range []string{"x:1", "x:full", "", "x:2", "x:hidden", "x:3"} {
		request := readRequest(name)
		request.Tag = uint64(i) + 10
		switch name {
		case "":
			request.Conversation, request.Change = "x:nothing", nil
		case "x:hidden":
			request.Change = &parleyv1.ProposeRequest_Set{Set: &parleyv1.Set{User: "ann", Hide: parleyv1.Hide(3).Enum()}}
		}
		requests = append(requests, request)
	}
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: requests})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range batch.GetResponses() {
				got = append(got, fmt.Sprintf("%d %s %v %v %s", r.GetTag(), r.GetConversation(), r.GetAck(), r.GetError().GetCode(), r.GetError().GetField()))
			}
			want := []string{
				"10 x:1 ACK_COMMITTED CODE_UNSPECIFIED ",
				"11 x:full ACK_UNSPECIFIED CODE_OVERLOADED ",
				"12 x:nothing ACK_UNSPECIFIED CODE_INVALID change",
				"13 x:2 ACK_COMMITTED CODE_UNSPECIFIED ",
				"14 x:hidden ACK_UNSPECIFIED CODE_INVALID set.hide",
				"15 x:3 ACK_COMMITTED CODE_UNSPECIFIED ",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("responses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABatchHasALimit(t *testing.T) {
	f := start(t, &fakeEngine{proposeBatch: echoBatch})
	client := f.wires()["gRPC"]
	requests := make([]*parleyv1.ProposeRequest, MaxBatch)
	for i := range requests {
		requests[i] = readRequest("x:1")
	}
	batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: requests})
	if err != nil || len(batch.GetResponses()) != MaxBatch {
		t.Fatalf("a batch of %d: %d responses, error %v", MaxBatch, len(batch.GetResponses()), err)
	}
	_, err = client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: append(requests, readRequest("x:1"))})
	wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "requests", "requests must be at most 1000, are 1001")
}

func TestABatchOfNothingIsAnsweredWithNothing(t *testing.T) {
	f := start(t, &fakeEngine{})
	got, err := f.wires()["gRPC"].ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&parleyv1.ProposeBatchResponse{}, got, protocmp.Transform()); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}

func TestABatchThatFailsAsAWholeIsRefusedAsAWhole(t *testing.T) {
	f := start(t, &fakeEngine{proposeBatch: func(_ context.Context, ps []*actors.Proposal) ([]actors.Reply, error) {
		if ps[0].Tag == 1 {
			return nil, &conversation.Error{Kind: conversation.ErrUnavailable, Reason: "the engine stopped"}
		}
		return nil, nil // an engine that breaks its contract
	}})
	client := f.wires()["gRPC"]
	request := readRequest("x:1")
	request.Tag = 1
	_, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{request}})
	wantRefusal(t, err, connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, "", "the engine stopped")
	_, err = client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{readRequest("x:1")}})
	wantRefusal(t, err, connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED, "", internalRefusal().detail.GetMessage())

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	stopping := &fakeEngine{proposeBatch: func(ctx context.Context, _ []*actors.Proposal) ([]actors.Reply, error) {
		return nil, fmt.Errorf("batch: %w", ctx.Err())
	}}
	f.Ready(stopping)
	_, err = (&service{server: f.Server}).ProposeBatch(ended, &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{request}})
	wantRefusal(t, err, connect.CodeCanceled, parleyv1.Code_CODE_UNAVAILABLE, "", unknownOutcome)
}
