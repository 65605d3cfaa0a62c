package server

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

func TestAPreviewReachesTheOperatorAsTheEngineGivesItOverEveryWire(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var got actors.PreviewQuery
	f := start(t, &fakeEngine{preview: func(_ context.Context, q actors.PreviewQuery) (actors.Preview, error) {
		got = q
		return actors.Preview{
			At: at, Conversations: 6, Members: 5, Overdue: 4, IfRead: 3, LeftOut: 2,
			Hours: []actors.PreviewHour{{Hour: at, Namespace: "dm", Conversations: 1, Members: 2}},
			First: []actors.PreviewedConversation{{Conversation: "dm:1", Deadline: at.Add(time.Second), Members: 3}},
		}, nil
	}})
	want := &parleyv1.PreviewExpiryResponse{
		At: timestamppb.New(at), Conversations: 6, Members: 5, Overdue: 4, IfRead: 3, LeftOut: 2,
		Hours: []*parleyv1.PreviewHour{{Hour: timestamppb.New(at), Namespace: "dm", Conversations: 1, Members: 2}},
		First: []*parleyv1.PreviewedConversation{{Conversation: "dm:1", Deadline: timestamppb.New(at.Add(time.Second)), Members: 3}},
	}
	for wire, client := range f.operators() {
		t.Run(wire, func(t *testing.T) {
			response, err := client.PreviewExpiry(t.Context(), &parleyv1.PreviewExpiryRequest{Until: timestamppb.New(at), Namespace: "dm", Names: 7})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(actors.PreviewQuery{Until: at, Namespace: "dm", Names: 7}, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, response, protocmp.Transform()); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnApplicationSaysHowFarItHasComeAndWhatCameOfItOverEveryWire(t *testing.T) {
	var got string
	f := start(t, &fakeEngine{apply: func(_ context.Context, namespace string, progress func(actors.ApplyProgress)) (actors.ApplyProgress, error) {
		got = namespace
		progress(actors.ApplyProgress{Done: 2, Looked: 3, Changed: 1})
		progress(actors.ApplyProgress{Done: 3, Looked: 4}) // too soon after the one before to be told
		return actors.ApplyProgress{Done: persistence.Shards, Looked: 6, Changed: 5, Skipped: 4, Resumed: true}, nil
	}})
	want := []*parleyv1.ApplyPoliciesResponse{
		{Done: 2, Of: persistence.Shards, Looked: 3, Changed: 1},
		{Done: persistence.Shards, Of: persistence.Shards, Looked: 6, Changed: 5, Skipped: 4, Resumed: true},
	}
	for wire, client := range f.operators() {
		t.Run(wire, func(t *testing.T) {
			stream, err := client.ApplyPolicies(t.Context(), &parleyv1.ApplyPoliciesRequest{Namespace: "dm"})
			if err != nil {
				t.Fatal(err)
			}
			var responses []*parleyv1.ApplyPoliciesResponse
			for stream.Receive() {
				responses = append(responses, stream.Msg())
			}
			if err := stream.Err(); err != nil || got != "dm" {
				t.Fatalf("namespace %q: %v", got, err)
			}
			if diff := cmp.Diff(want, responses, protocmp.Transform()); diff != "" {
				t.Errorf("responses (-want +got):\n%s", diff)
			}
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARefusedApplicationOrPreviewNamesItsField(t *testing.T) {
	f, _ := startReal(t)
	client := f.operators()["gRPC"]
	until := timestamppb.New(time.Now())
	for field, request := range map[string]*parleyv1.PreviewExpiryRequest{
		"until": {}, "names": {Until: until, Names: 1_001}, "namespace": {Until: until, Namespace: "a:b"},
	} {
		_, err := client.PreviewExpiry(t.Context(), request)
		if err == nil || connect.CodeOf(err) != connect.CodeInvalidArgument || detailOf(t, err).GetField() != field {
			t.Errorf("a bad %s is refused with %v", field, err)
		}
	}
	stream, err := client.ApplyPolicies(t.Context(), &parleyv1.ApplyPoliciesRequest{Namespace: "a:b"})
	if err != nil {
		t.Fatal(err)
	}
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeInvalidArgument || detailOf(t, stream.Err()).GetField() != "namespace" {
		t.Errorf("a bad namespace is refused with %v", stream.Err())
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestASecondApplicationIsRefusedAsAConflict(t *testing.T) {
	f := start(t, &fakeEngine{apply: func(context.Context, string, func(actors.ApplyProgress)) (actors.ApplyProgress, error) {
		return actors.ApplyProgress{}, &conversation.Error{Kind: conversation.ErrConflict, Reason: "policies are being applied already"}
	}})
	stream, err := f.operators()["gRPC"].ApplyPolicies(t.Context(), &parleyv1.ApplyPoliciesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeAborted || detailOf(t, stream.Err()).GetCode() != parleyv1.Code_CODE_CONFLICT {
		t.Errorf("it is refused with %v", stream.Err())
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}
