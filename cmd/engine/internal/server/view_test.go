package server

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

func at(second int64) time.Time { return time.Unix(1_700_000_000+second, 0).UTC() }

func fullView() (conversation.View, *parleyv1.Conversation) {
	view := conversation.View{
		Conversation: "group:42", Generation: 1, Version: 2, LastSeq: 3, LastSender: "ann", Preview: []byte("hello"), LastActivity: at(1),
		ExpiresAt: at(2), Members: 4, Held: true, Peer: "bob",
		Membership: &conversation.MembershipView{
			User: "ann", VisibleFrom: 5, VisibleTo: 6, ReadSeq: 7, DeliveredSeq: 8, ClearedSeq: 9, Unread: 10, Mentions: 11, MarkedUnread: true,
			Pin: 12, MutedUntil: at(3), Hide: persistence.HideAlways, Tags: 13, Custom: []byte("custom"),
			Draft: &persistence.Draft{Text: []byte("draft"), EditedAt: persistence.InstantOf(at(4))}, ReadAt: at(5),
		},
	}
	message := &parleyv1.Conversation{
		Conversation: "group:42", Generation: 1, Version: 2, LastSeq: 3, LastSender: "ann", Preview: []byte("hello"), LastActivity: timestamppb.New(at(1)),
		ExpiresAt: timestamppb.New(at(2)), Members: 4, Held: true, Peer: "bob",
		Membership: &parleyv1.Membership{
			User: "ann", VisibleFrom: 5, VisibleTo: 6, ReadSeq: 7, DeliveredSeq: 8, ClearedSeq: 9, Unread: 10, Mentions: 11, MarkedUnread: true,
			Pin: 12, MutedUntil: timestamppb.New(at(3)), Hide: parleyv1.Hide_HIDE_ALWAYS, Tags: 13, Custom: []byte("custom"),
			Draft: &parleyv1.Draft{Text: []byte("draft"), EditedAt: timestamppb.New(at(4))}, ReadAt: timestamppb.New(at(5)),
		},
	}
	return view, message
}

func TestNoFieldOfAViewIsForgotten(t *testing.T) {
	view, want := fullView()
	got := conversationOf(&view)
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	for _, message := range []proto.Message{got, got.GetMembership()} {
		fields := message.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if !message.ProtoReflect().Has(fields.Get(i)) {
				t.Errorf("%s is not filled by this test", fields.Get(i).FullName())
			}
		}
	}
}

func TestTheHidesOfTheStoreAreThoseOfTheWire(t *testing.T) {
	for store, wire := range map[persistence.Hide]parleyv1.Hide{
		persistence.HideNone:         parleyv1.Hide_HIDE_NONE,
		persistence.HideUntilMessage: parleyv1.Hide_HIDE_UNTIL_MESSAGE,
		persistence.HideAlways:       parleyv1.Hide_HIDE_ALWAYS,
	} {
		if got := membershipOf(&conversation.MembershipView{Hide: store}).GetHide(); got != wire {
			t.Errorf("hide %d is sent as %v, want %v", store, got, wire)
		}
	}
}

func TestTimesThatAreNotThereAreNotSent(t *testing.T) {
	got := conversationOf(&conversation.View{Membership: &conversation.MembershipView{}})
	if diff := cmp.Diff(&parleyv1.Conversation{Membership: &parleyv1.Membership{}}, got, protocmp.Transform()); diff != "" {
		t.Errorf("an empty view (-want +got):\n%s", diff)
	}
}

func TestQueriesAndPagesPassWhole(t *testing.T) {
	view, message := fullView()
	var (
		gotID, gotUser string
		gotList        actors.ListQuery
		gotMembers     actors.MembersQuery
	)
	f := start(t, &fakeEngine{
		get: func(_ context.Context, id, user string) (conversation.View, error) {
			gotID, gotUser = id, user
			return view, nil
		},
		conversations: func(_ context.Context, q actors.ListQuery) (actors.ListPage, error) {
			gotList = q
			return actors.ListPage{Conversations: []conversation.View{view, {}}, NextPageToken: "next"}, nil
		},
		members: func(_ context.Context, q actors.MembersQuery) (actors.MembersPage, error) {
			gotMembers = q
			return actors.MembersPage{Members: []conversation.MembershipView{*view.Membership, {}}, NextPageToken: "more"}, nil
		},
	})
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			one, err := client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{Conversation: "group:42", User: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(message, one, protocmp.Transform()); diff != "" || gotID != "group:42" || gotUser != "ann" {
				t.Errorf("asked for %q and %q; conversation (-want +got):\n%s", gotID, gotUser, diff)
			}

			list, err := client.ListConversations(t.Context(), &parleyv1.ListConversationsRequest{
				User: "ann", Limit: 1<<32 - 1, PageToken: "page", UnreadOnly: true, TagsAny: 5, Hidden: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			wantList := actors.ListQuery{User: "ann", Limit: 1<<31 - 1, PageToken: "page", UnreadOnly: true, TagsAny: 5, Hidden: true}
			if diff := cmp.Diff(wantList, gotList); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			wantPage := &parleyv1.ListConversationsResponse{Conversations: []*parleyv1.Conversation{message, {}}, NextPageToken: "next"}
			if diff := cmp.Diff(wantPage, list, protocmp.Transform()); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}

			members, err := client.ListMembers(t.Context(), &parleyv1.ListMembersRequest{
				Conversation: "group:42", Users: []string{"ann"}, Limit: 3, PageToken: "page",
			})
			if err != nil {
				t.Fatal(err)
			}
			wantQuery := actors.MembersQuery{Conversation: "group:42", Users: []string{"ann"}, Limit: 3, PageToken: "page"}
			if diff := cmp.Diff(wantQuery, gotMembers); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			wantMembers := &parleyv1.ListMembersResponse{Members: []*parleyv1.Membership{message.GetMembership(), {}}, NextPageToken: "more"}
			if diff := cmp.Diff(wantMembers, members, protocmp.Transform()); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}
}
