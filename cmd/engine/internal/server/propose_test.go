package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestEveryChangeReachesTheEngineAsItWasSentOverEveryWire(t *testing.T) {
	sent := time.Date(2026, 3, 1, 12, 30, 0, 123_000, time.UTC)
	tests := []struct {
		name    string
		request *parleyv1.ProposeRequest
		want    actors.Proposal
	}{
		{
			"post",
			&parleyv1.ProposeRequest{
				Conversation: "group:42", Ack: parleyv1.Ack_ACK_APPLIED, IfGeneration: 1 << 60, Revision: 2, Tag: 1<<64 - 1, Origin: "phone",
				Change: &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{
					Seq: 7, Sender: "ann", SentAt: timestamppb.New(sent), Preview: []byte{0, 255}, Mentions: []string{"bob"}, MentionAll: true,
					Silent: true, Unattended: true, Members: []string{"ann", "bob"},
				}},
			},
			actors.Proposal{
				Conversation: "group:42", Ack: actors.AckApplied, IfGeneration: 1 << 60, Revision: 2, Tag: 1<<64 - 1, Origin: "phone",
				Change: &conversation.Post{
					Seq: 7, Sender: "ann", SentAt: sent, Preview: []byte{0, 255}, Mentions: []string{"bob"}, MentionAll: true,
					Silent: true, Unattended: true, Members: []string{"ann", "bob"},
				},
			},
		},
		{
			"post without a time",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{Seq: 1, Sender: "ann"}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}},
		},
		{
			"join",
			&parleyv1.ProposeRequest{Conversation: "group:42", Ack: parleyv1.Ack_ACK_COMMITTED, Change: &parleyv1.ProposeRequest_Join{
				Join: &parleyv1.Join{Users: []string{"ann", "bob"}, VisibleFrom: 3, UnreadFrom: 4},
			}},
			actors.Proposal{
				Conversation: "group:42", Ack: actors.AckCommitted,
				Change: &conversation.Join{Users: []string{"ann", "bob"}, VisibleFrom: 3, UnreadFrom: 4},
			},
		},
		{
			"leave",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Leave{
				Leave: &parleyv1.Leave{Users: []string{"ann"}, Keep: true},
			}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Leave{Users: []string{"ann"}, Keep: true}},
		},
		{
			"read",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: "ann", Seq: 9}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: "ann", Seq: 9}},
		},
		{
			"amend",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Amend{
				Amend: &parleyv1.Amend{Seq: 9, Preview: []byte{0, 255}, Retracted: true},
			}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Amend{Seq: 9, Preview: []byte{0, 255}, Retracted: true}},
		},
		{
			"amend that leaves the preview",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Amend{Amend: &parleyv1.Amend{Seq: 9}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Amend{Seq: 9}},
		},
		{
			"amend that empties the preview",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Amend{Amend: &parleyv1.Amend{Seq: 9, Preview: []byte{}}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Amend{Seq: 9, Preview: []byte{}}},
		},
		{
			"deliver",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Deliver{Deliver: &parleyv1.Deliver{User: "ann", Seq: 9}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Deliver{User: "ann", Seq: 9}},
		},
		{
			"mark_unread",
			&parleyv1.ProposeRequest{Conversation: "group:42", Revision: 3, Change: &parleyv1.ProposeRequest_MarkUnread{
				MarkUnread: &parleyv1.MarkUnread{User: "ann", Seq: 9},
			}},
			actors.Proposal{Conversation: "group:42", Revision: 3, Change: &conversation.MarkUnread{User: "ann", Seq: 9}},
		},
		{
			"hold",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Hold{Hold: &parleyv1.Hold{On: true}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Hold{On: true}},
		},
		{
			"release",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Hold{Hold: &parleyv1.Hold{}}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Hold{}},
		},
		{
			"clear",
			&parleyv1.ProposeRequest{Conversation: "group:42", Change: &parleyv1.ProposeRequest_Clear{
				Clear: &parleyv1.Clear{User: "ann", Seq: 9, Hide: true},
			}},
			actors.Proposal{Conversation: "group:42", Change: &conversation.Clear{User: "ann", Seq: 9, Hide: true}},
		},
		{
			"delete",
			&parleyv1.ProposeRequest{Conversation: "group:42", IfGeneration: 5, Change: &parleyv1.ProposeRequest_Delete{Delete: &parleyv1.Delete{}}},
			actors.Proposal{Conversation: "group:42", IfGeneration: 5, Change: &conversation.Delete{}},
		},
	}
	var got *actors.Proposal
	f := start(t, &fakeEngine{propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
		got = p
		return actors.Reply{}, nil
	}})
	for _, test := range tests {
		for wire, client := range f.wires() {
			t.Run(test.name+" over "+wire, func(t *testing.T) {
				got = nil
				if _, err := client.Propose(t.Context(), test.request); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&test.want, got); diff != "" {
					t.Errorf("proposal (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAReplyIsAnsweredWhole(t *testing.T) {
	f := start(t, &fakeEngine{propose: func(context.Context, *actors.Proposal) (actors.Reply, error) {
		return actors.Reply{
			Conversation: "group:42", Generation: 1 << 63, Version: 2, LastSeq: 3, Ack: actors.AckCommitted, Changed: true, Tag: 4,
			Membership: &conversation.MembershipView{User: "ann", ReadSeq: 3},
		}, nil
	}})
	want := &parleyv1.ProposeResponse{
		Conversation: "group:42", Generation: 1 << 63, Version: 2, LastSeq: 3, Ack: parleyv1.Ack_ACK_COMMITTED, Changed: true, Tag: 4,
		Membership: &parleyv1.Membership{User: "ann", ReadSeq: 3},
	}
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			got, err := client.Propose(t.Context(), readRequest("group:42"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryChangeOfTheWireIsConverted(t *testing.T) {
	fields := (&parleyv1.ProposeRequest{}).ProtoReflect().Descriptor().Oneofs().ByName("change").Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		request := &parleyv1.ProposeRequest{Conversation: "group:42"}
		request.ProtoReflect().Set(field, request.ProtoReflect().NewField(field))
		proposal, err := proposalOf(request)
		if err != nil {
			t.Errorf("%s is refused: %v", field.Name(), err)
			continue
		}
		if kind := proposal.Change.Kind(); kind != string(field.Name()) {
			t.Errorf("%s became a %s", field.Name(), kind)
		}
		_, err = proposalOf(&parleyv1.ProposeRequest{})
		if e, ok := errors.AsType[*conversation.Error](err); !ok || !strings.Contains(" "+strings.ReplaceAll(e.Reason, ",", " ")+" ", " "+string(field.Name())+" ") {
			t.Errorf("whoever sends no change is told %v, which does not name %s", err, field.Name())
		}
	}
}

func TestACallThatEndsFirstHasAnUnknownOutcome(t *testing.T) {
	f := start(t, &fakeEngine{propose: func(ctx context.Context, _ *actors.Proposal) (actors.Reply, error) {
		<-ctx.Done()
		return actors.Reply{}, ctx.Err()
	}})
	for _, wire := range []string{"gRPC", "Connect JSON"} {
		t.Run(wire, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := f.wires()[wire].Propose(ctx, readRequest("group:42"))
			if connect.CodeOf(err) != connect.CodeDeadlineExceeded {
				t.Errorf("error is %v, want deadline_exceeded", err)
			}
		})
	}
	// The client's own deadline may beat the server's answer, so the text is asked for here.
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err := (&service{server: f.Server}).Propose(ctx, readRequest("group:42"))
	wantRefusal(t, err, connect.CodeDeadlineExceeded, parleyv1.Code_CODE_UNAVAILABLE, "", unknownOutcome)
	cancelled, cancelNow := context.WithCancel(t.Context())
	cancelNow()
	_, err = (&service{server: f.Server}).Propose(cancelled, readRequest("group:42"))
	wantRefusal(t, err, connect.CodeCanceled, parleyv1.Code_CODE_UNAVAILABLE, "", unknownOutcome)
}

func TestAChangeThatWasAppliedButNotCommittedSaysSo(t *testing.T) {
	refused := &conversation.Error{Kind: conversation.ErrUnavailable, Conversation: "group:42", Reason: "the engine stopped"}
	reply := actors.Reply{Conversation: "group:42", Ack: actors.AckApplied, Err: refused}
	f := start(t, &fakeEngine{
		propose: func(context.Context, *actors.Proposal) (actors.Reply, error) { return reply, reply.Err },
		proposeBatch: func(context.Context, []*actors.Proposal) ([]actors.Reply, error) {
			return []actors.Reply{reply}, nil
		},
	})
	client := f.wires()["gRPC"]
	const message = "applied, but not committed: group:42: the engine stopped"
	_, err := client.Propose(t.Context(), readRequest("group:42"))
	wantRefusal(t, err, connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, "", message)

	batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{readRequest("group:42")}})
	if err != nil {
		t.Fatal(err)
	}
	want := []*parleyv1.ProposeResponse{{
		Conversation: "group:42", Ack: parleyv1.Ack_ACK_APPLIED,
		Error: &parleyv1.Error{Code: parleyv1.Code_CODE_UNAVAILABLE, Message: message},
	}}
	if diff := cmp.Diff(want, batch.GetResponses(), protocmp.Transform()); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
}

func readRequest(name string) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{
		Conversation: name,
		Change:       &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: "ann", Seq: 1}},
	}
}
