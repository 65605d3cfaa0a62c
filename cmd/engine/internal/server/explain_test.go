package server

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

func TestAnExplanationReachesTheOperatorAsTheEngineGivesItOverEveryWire(t *testing.T) {
	hour := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var got actors.ListQuery
	f := start(t, &fakeEngine{explain: func(_ context.Context, q actors.ListQuery) (actors.ListExplanation, error) {
		got = q
		return actors.ListExplanation{
			Page: actors.ListPage{NextPageToken: "next", Cost: actors.ReadCost{Entries: 5, Merged: 4, Conversations: 3, Rows: 2, Pending: 1}},
			Took: 1500 * time.Microsecond,
			LookedUp: []actors.LookedUp{
				{Conversation: "group:1", Entry: persistence.EntryPinned, Fate: actors.FateShown},
				{Conversation: "group:2", Entry: persistence.EntryMerged, Fate: actors.FateLater},
				{Conversation: "group:3", Entry: persistence.EntryActive, At: hour, Fate: actors.FateEarlier},
				{Conversation: "group:4", Entry: persistence.EntryActive, At: hour, Fate: actors.FateFiltered},
				{Conversation: "group:5", Entry: persistence.EntryActive, At: hour, Fate: actors.FateGone},
			},
			LeftOut: 7,
		}, nil
	}})
	want := &parleyv1.ExplainListResponse{
		Cost: &parleyv1.ReadCost{Entries: 5, Merged: 4, Conversations: 3, Rows: 2, Pending: 1},
		Took: durationpb.New(1500 * time.Microsecond),
		LookedUp: []*parleyv1.LookedUp{
			{Conversation: "group:1", Entry: parleyv1.EntryKind_ENTRY_PINNED, Fate: parleyv1.Fate_FATE_SHOWN},
			{Conversation: "group:2", Entry: parleyv1.EntryKind_ENTRY_MERGED, Fate: parleyv1.Fate_FATE_LATER},
			{Conversation: "group:3", Entry: parleyv1.EntryKind_ENTRY_ACTIVE, At: timestamppb.New(hour), Fate: parleyv1.Fate_FATE_EARLIER},
			{Conversation: "group:4", Entry: parleyv1.EntryKind_ENTRY_ACTIVE, At: timestamppb.New(hour), Fate: parleyv1.Fate_FATE_FILTERED},
			{Conversation: "group:5", Entry: parleyv1.EntryKind_ENTRY_ACTIVE, At: timestamppb.New(hour), Fate: parleyv1.Fate_FATE_GONE},
		},
		LeftOut: 7, NextPageToken: "next",
	}
	request := &parleyv1.ExplainListRequest{User: "ann", Limit: 7, PageToken: "token", UnreadOnly: true, TagsAny: 6, Hidden: true}
	for wire, client := range f.operators() {
		t.Run(wire, func(t *testing.T) {
			response, err := client.ExplainList(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(actors.ListQuery{User: "ann", Limit: 7, PageToken: "token", UnreadOnly: true, TagsAny: 6, Hidden: true}, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, response, protocmp.Transform()); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAListThatCannotBeExplainedIsRefusedByItsField(t *testing.T) {
	f, _ := startReal(t)
	client := f.operators()["gRPC"]
	for field, request := range map[string]*parleyv1.ExplainListRequest{
		"user": {}, "limit": {User: "ann", Limit: 1_001}, "page_token": {User: "ann", PageToken: "x"},
	} {
		_, err := client.ExplainList(t.Context(), request)
		if err == nil {
			t.Errorf("a bad %s is taken", field)
			continue
		}
		if detail := detailOf(t, err); detail.GetField() != field || connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("a bad %s is refused with %v", field, err)
		}
	}
}
