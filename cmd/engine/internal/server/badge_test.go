package server

import (
	"context"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestABadgeReachesTheClientAsTheEngineCountsItOverEveryWire(t *testing.T) {
	f := start(t, &fakeEngine{badge: func(_ context.Context, user string) (actors.Badge, error) {
		return actors.Badge{Unread: uint64(len(user)), MutedUnread: 2, Mentions: 1 << 60, Conversations: 4, AtLeast: true}, nil
	}})
	want := &parleyv1.Badge{Unread: 3, MutedUnread: 2, Mentions: 1 << 60, Conversations: 4, AtLeast: true}
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			got, err := client.GetBadge(t.Context(), &parleyv1.GetBadgeRequest{User: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("badge (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABadgeOfARealEngineCountsMessagesAndMentionsAndRefusesNobody(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			bob := "bob over " + wire
			for seq := range uint64(2) {
				request := postRequest("wire:"+wire, &parleyv1.Post{Seq: seq + 1, Sender: "ann", Members: []string{bob}, Mentions: []string{bob}})
				if _, err := client.Propose(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			got, err := client.GetBadge(t.Context(), &parleyv1.GetBadgeRequest{User: bob})
			if err != nil || got.GetUnread() != 2 || got.GetMentions() != 2 || got.GetConversations() != 1 || got.GetMutedUnread() != 0 {
				t.Errorf("bob's badge: %v, %v", got, err)
			}
			_, err = client.GetBadge(t.Context(), &parleyv1.GetBadgeRequest{})
			wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "user", "user must not be empty")
		})
	}
}
