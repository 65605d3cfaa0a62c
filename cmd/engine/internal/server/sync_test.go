package server

import (
	"context"
	"slices"
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

func TestWhatChangedReachesTheClientAsTheEngineTellsItOverEveryWire(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var got actors.SyncQuery
	f := start(t, &fakeEngine{sync: func(_ context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
		got = q
		return actors.SyncPage{
			Changed: []conversation.View{{
				Conversation: "group:1", Generation: 1 << 60, LastSeq: 7, LastActivity: at, Membership: &conversation.MembershipView{User: "ann", Unread: 3},
			}},
			Removed: []actors.Removal{
				{Conversation: "group:2", Generation: 1 << 61, Reason: persistence.ReasonExpired},
				{Conversation: "group:3", Reason: persistence.ReasonDeleted},
				{Conversation: "group:4", Reason: persistence.ReasonLeft},
				{Conversation: "group:5", Reason: persistence.ReasonHidden},
				{Conversation: "group:6", Reason: persistence.ReasonForgotten},
			},
			Cursor: "next", Full: true, More: true,
		}, nil
	}})
	want := &parleyv1.SyncResponse{
		Changed: []*parleyv1.Conversation{{
			Conversation: "group:1", Generation: 1 << 60, LastSeq: 7, LastActivity: timestamppb.New(at), Membership: &parleyv1.Membership{User: "ann", Unread: 3},
		}},
		Removed: []*parleyv1.Removal{
			{Conversation: "group:2", Generation: 1 << 61, Reason: parleyv1.Reason_REASON_EXPIRED},
			{Conversation: "group:3", Reason: parleyv1.Reason_REASON_DELETED},
			{Conversation: "group:4", Reason: parleyv1.Reason_REASON_LEFT},
			{Conversation: "group:5", Reason: parleyv1.Reason_REASON_HIDDEN},
			{Conversation: "group:6", Reason: parleyv1.Reason_REASON_FORGOTTEN},
		},
		Cursor: "next", Full: true, More: true,
	}
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			response, err := client.Sync(t.Context(), &parleyv1.SyncRequest{User: "ann", Cursor: "last", Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(actors.SyncQuery{User: "ann", Cursor: "last", Limit: 7}, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, response, protocmp.Transform()); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAListAndWhatChangedSinceItAreTheListOfLaterOverEveryWire(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			bob := "bob over " + wire
			names := []string{wire + ":1", wire + ":2", wire + ":3"}
			propose := func(request *parleyv1.ProposeRequest) {
				t.Helper()
				if _, err := client.Propose(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range names {
				propose(postRequest(name, &parleyv1.Post{Seq: 1, Sender: "ann", Members: []string{bob}}))
			}
			list, err := client.ListConversations(t.Context(), &parleyv1.ListConversationsRequest{User: bob})
			if err != nil || len(list.GetConversations()) != 3 || list.GetSyncCursor() == "" {
				t.Fatalf("bob's list: %v, %v", list, err)
			}
			propose(postRequest(names[1], &parleyv1.Post{Seq: 2, Sender: "ann"}))
			propose(&parleyv1.ProposeRequest{Conversation: names[2], Change: &parleyv1.ProposeRequest_Leave{Leave: &parleyv1.Leave{Users: []string{bob}}}})
			device := map[string]uint64{names[0]: 1, names[1]: 1, names[2]: 1}
			for cursor, more := list.GetSyncCursor(), true; more; {
				response, err := client.Sync(t.Context(), &parleyv1.SyncRequest{User: bob, Cursor: cursor, Limit: 1})
				if err != nil || response.GetFull() || response.GetCursor() == "" {
					t.Fatalf("what changed: %v, %v", response, err)
				}
				for _, c := range response.GetChanged() {
					device[c.GetConversation()] = c.GetLastSeq()
				}
				for _, r := range response.GetRemoved() {
					delete(device, r.GetConversation())
				}
				cursor, more = response.GetCursor(), response.GetMore()
			}
			if diff := cmp.Diff(map[string]uint64{names[0]: 1, names[1]: 2}, device); diff != "" {
				t.Errorf("the device has (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASyncThatCannotBeIsRefusedByItsField(t *testing.T) {
	f, _ := startReal(t)
	const other = "cursor is not one that the server gave"
	tests := []struct {
		name           string
		request        *parleyv1.SyncRequest
		field, message string
	}{
		{"nobody", &parleyv1.SyncRequest{}, "user", "user must not be empty"},
		{"not a cursor", &parleyv1.SyncRequest{User: "ann", Cursor: "x"}, "cursor", other},
		{"not base64", &parleyv1.SyncRequest{User: "ann", Cursor: "§"}, "cursor", other},
		{"a page too large", &parleyv1.SyncRequest{User: "ann", Limit: 1_001}, "limit", "limit must be 0 to 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, client := range f.wires() {
				_, err := client.Sync(t.Context(), test.request)
				wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, test.field, test.message)
			}
		})
	}
	t.Run("a cursor that came to harm", func(t *testing.T) {
		client := f.wires()["gRPC"]
		list, err := client.ListConversations(t.Context(), &parleyv1.ListConversationsRequest{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		cursor := []byte(list.GetSyncCursor())
		for i := range cursor {
			harmed := slices.Clone(cursor)
			if harmed[i] = 'A'; cursor[i] == 'A' {
				harmed[i] = '_' // which differs in every bit
			}
			if _, err = client.Sync(t.Context(), &parleyv1.SyncRequest{User: "ann", Cursor: string(harmed)}); err == nil {
				t.Errorf("the cursor is taken with another character %d", i)
				continue
			}
			if detail := detailOf(t, err); detail.GetField() != "cursor" || detail.GetCode() != parleyv1.Code_CODE_INVALID {
				t.Errorf("with another character %d it is refused with %v", i, detail)
			}
		}
	})
}
