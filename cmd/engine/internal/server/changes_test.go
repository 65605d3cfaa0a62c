package server

import (
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestARetractedMessageIsNoLongerUnread(t *testing.T) {
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			want := func(unread uint64, mentions uint32, preview string) {
				t.Helper()
				view := c.get(t, c.bob)
				if m := view.GetMembership(); m.GetUnread() != unread || m.GetMentions() != mentions || string(view.GetPreview()) != preview {
					t.Errorf("bob sees %d unread, %d mentions and %q, want %d, %d and %q", m.GetUnread(), m.GetMentions(), view.GetPreview(), unread, mentions, preview)
				}
			}
			want(3, 3, "hello")
			retract := c.amend(&parleyv1.Amend{Seq: 2, Preview: []byte("not the last"), Retracted: true})
			if first, again := c.propose(t, retract), c.propose(t, retract); !first.GetChanged() || again.GetChanged() || again.GetVersion() != first.GetVersion() {
				t.Errorf("retracted: %v\nand again: %v", first, again)
			}
			want(2, 2, "hello")
			c.propose(t, c.amend(&parleyv1.Amend{Seq: 3, Preview: []byte("edited")}))
			want(2, 2, "edited")
			c.propose(t, c.amend(&parleyv1.Amend{Seq: 3, Retracted: true}))
			want(1, 1, "edited")
			c.propose(t, c.amend(&parleyv1.Amend{Seq: 3, Preview: []byte{}}))
			want(1, 1, "")
			_, err := c.client.Propose(t.Context(), c.amend(&parleyv1.Amend{Seq: 4}))
			wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "amend.seq", c.name+": amend.seq must be at most the last, 3")
		})
	}
}

func TestADeliveryIsAReceiptAndAMarkMakesUnreadAgain(t *testing.T) {
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			type marks struct {
				Delivered, Read, Unread uint64
				Marked, Changed         bool
			}
			for _, step := range []struct {
				name    string
				request *parleyv1.ProposeRequest
				want    marks
			}{
				{"delivered", c.deliver(2), marks{Delivered: 2, Unread: 3, Changed: true}},
				{"delivered again", c.deliver(1), marks{Delivered: 2, Unread: 3}},
				{"read", c.read(3), marks{Delivered: 3, Read: 3, Changed: true}},
				{"only marked", c.markUnread(0), marks{Delivered: 3, Read: 3, Marked: true, Changed: true}},
				{"read again, which ends the mark", c.read(3), marks{Delivered: 3, Read: 3, Changed: true}},
				{"unread from a message on", c.markUnread(2), marks{Delivered: 3, Read: 1, Unread: 2, Marked: true, Changed: true}},
				{"read in part", c.read(2), marks{Delivered: 3, Read: 2, Unread: 1, Changed: true}},
			} {
				response := c.propose(t, step.request)
				seen := func(m *parleyv1.Membership) marks {
					return marks{m.GetDeliveredSeq(), m.GetReadSeq(), m.GetUnread(), m.GetMarkedUnread(), response.GetChanged()}
				}
				if diff := cmp.Diff(step.want, seen(response.GetMembership())); diff != "" {
					t.Errorf("%s, the response (-want +got):\n%s", step.name, diff)
				}
				if diff := cmp.Diff(step.want, seen(c.get(t, c.bob).GetMembership())); diff != "" {
					t.Errorf("%s, what is read then (-want +got):\n%s", step.name, diff)
				}
			}
			if m := c.get(t, c.ann).GetMembership(); m.GetReadSeq() != 3 || m.GetMarkedUnread() {
				t.Errorf("ann, whom none of it is about: %v", m)
			}
			_, err := c.client.Propose(t.Context(), &parleyv1.ProposeRequest{Conversation: c.name, Change: &parleyv1.ProposeRequest_MarkUnread{
				MarkUnread: &parleyv1.MarkUnread{User: "nobody", Seq: 1},
			}})
			wantRefusal(t, err, connect.CodeNotFound, parleyv1.Code_CODE_NOT_FOUND, "mark_unread.user", c.name+": mark_unread.user is not a member")
		})
	}
}

func TestSettingsAreShownAndADraftOnlyToWhoeverWroteIt(t *testing.T) {
	forEver := timestamppb.New(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	draft := &parleyv1.Draft{Text: []byte("dear"), EditedAt: timestamppb.New(time.Date(2020, 3, 1, 12, 30, 0, 123_000, time.UTC))}
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			request := setRequest(c.name, &parleyv1.Set{
				User: c.bob, Pin: new(uint64(7)), MutedUntil: forEver, Hide: parleyv1.Hide_HIDE_ALWAYS.Enum(), Tags: new(uint64(6)), Custom: []byte{0, 255}, Draft: draft,
			})
			want := &parleyv1.Membership{
				User: c.bob, VisibleFrom: 1, Unread: 3, Mentions: 3,
				Pin: 7, MutedUntil: forEver, Hide: parleyv1.Hide_HIDE_ALWAYS, Tags: 6, Custom: []byte{0, 255},
			}
			same := func(where string, got *parleyv1.Membership) {
				t.Helper()
				if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", where, diff)
				}
			}
			same("the response", c.propose(t, request).GetMembership())
			if again := c.propose(t, request); again.GetChanged() {
				t.Errorf("the same settings again: %v", again)
			}
			members, err := c.client.ListMembers(t.Context(), &parleyv1.ListMembersRequest{Conversation: c.name, Users: []string{c.bob}})
			if err != nil || len(members.GetMembers()) != 1 {
				t.Fatalf("members: %v, %v", members, err)
			}
			same("ListMembers", members.GetMembers()[0])
			if list := c.listed(t, &parleyv1.ListConversationsRequest{}); len(list) != 0 {
				t.Errorf("what is hidden is listed: %v", list)
			}
			list := c.listed(t, &parleyv1.ListConversationsRequest{Hidden: true, TagsAny: 4})
			if len(list) != 1 {
				t.Fatalf("the hidden list has %v", list)
			}
			same("ListConversations", list[0].GetMembership())
			if list := c.listed(t, &parleyv1.ListConversationsRequest{Hidden: true, TagsAny: 1}); len(list) != 0 {
				t.Errorf("the list of a tag it does not have has %v", list)
			}
			want.Draft = draft
			same("GetConversation", c.get(t, c.bob).GetMembership())

			// What is taken back is gone, and what is absent stays.
			c.propose(t, setRequest(c.name, &parleyv1.Set{
				User: c.bob, Pin: new(uint64(0)), MutedUntil: &timestamppb.Timestamp{}, Custom: []byte{}, Draft: &parleyv1.Draft{},
			}))
			want.Pin, want.MutedUntil, want.Custom, want.Draft = 0, nil, nil, nil
			same("after some were taken back", c.get(t, c.bob).GetMembership())
			if m := c.get(t, c.ann).GetMembership(); m.GetTags() != 0 || m.GetHide() != parleyv1.Hide_HIDE_NONE {
				t.Errorf("ann, whom none of it is about: %v", m)
			}
		})
	}
}

func TestAConversationThatIsHiddenUntilTheNextMessageComesBackWithIt(t *testing.T) {
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			c.propose(t, setRequest(c.name, &parleyv1.Set{User: c.bob, Hide: parleyv1.Hide_HIDE_UNTIL_MESSAGE.Enum()}))
			if hidden := c.listed(t, &parleyv1.ListConversationsRequest{Hidden: true}); len(hidden) != 1 {
				t.Errorf("hidden: %v", hidden)
			}
			c.propose(t, postRequest(c.name, &parleyv1.Post{Seq: 4, Sender: c.ann, Silent: true}))
			if list := c.listed(t, &parleyv1.ListConversationsRequest{}); len(list) != 0 {
				t.Errorf("after a silent message it is listed: %v", list)
			}
			c.propose(t, postRequest(c.name, &parleyv1.Post{Seq: 5, Sender: c.ann}))
			if list := c.listed(t, &parleyv1.ListConversationsRequest{}); len(list) != 1 || list[0].GetMembership().GetHide() != parleyv1.Hide_HIDE_NONE {
				t.Errorf("after the next message the list has %v", list)
			}
		})
	}
}

func TestAnOlderRevisionChangesNothing(t *testing.T) {
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			pin := func(revision, pin uint64) *parleyv1.ProposeResponse {
				request := setRequest(c.name, &parleyv1.Set{User: c.bob, Pin: &pin})
				request.Revision = revision
				return c.propose(t, request)
			}
			if r := pin(5, 50); !r.GetChanged() || r.GetMembership().GetPin() != 50 {
				t.Errorf("revision 5: %v", r)
			}
			if r := pin(4, 40); r.GetChanged() || r.GetMembership().GetPin() != 50 {
				t.Errorf("revision 4 after it: %v", r)
			}
			late := c.markUnread(1)
			late.Revision = 3
			if r := c.propose(t, late); r.GetChanged() || r.GetMembership().GetMarkedUnread() {
				t.Errorf("a mark of revision 3 after it: %v", r)
			}
			if r := pin(6, 60); !r.GetChanged() || r.GetMembership().GetPin() != 60 {
				t.Errorf("revision 6: %v", r)
			}
		})
	}
}

func TestAHeldConversationIsDeletedOnlyOnceItIsReleased(t *testing.T) {
	for wire, c := range talks(t) {
		t.Run(wire, func(t *testing.T) {
			held := c.propose(t, c.hold(true))
			if !held.GetChanged() || !c.get(t, "").GetHeld() {
				t.Errorf("held: %v; is held: %v", held, c.get(t, "").GetHeld())
			}
			if again := c.propose(t, c.hold(true)); again.GetChanged() {
				t.Errorf("held again: %v", again)
			}
			remove := &parleyv1.ProposeRequest{
				Conversation: c.name, IfGeneration: held.GetGeneration(), Change: &parleyv1.ProposeRequest_Delete{Delete: &parleyv1.Delete{}},
			}
			_, err := c.client.Propose(t.Context(), remove)
			if detail := detailOf(t, err); connect.CodeOf(err) != connect.CodeFailedPrecondition || detail.GetCode() != parleyv1.Code_CODE_HELD {
				t.Errorf("deleting what is held: %v, %v; want failed_precondition, held", err, detail)
			}
			batch, err := c.client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{remove, c.read(3)}})
			if err != nil {
				t.Fatal(err)
			}
			if r := batch.GetResponses(); r[0].GetError().GetCode() != parleyv1.Code_CODE_HELD || r[1].GetError() != nil || !r[1].GetChanged() {
				t.Errorf("in a batch, a delete and a read: %v", r)
			}
			if released := c.propose(t, c.hold(false)); !released.GetChanged() || c.get(t, "").GetHeld() {
				t.Errorf("released: %v", released)
			}
			if deleted := c.propose(t, remove); !deleted.GetChanged() {
				t.Errorf("deleted: %v", deleted)
			}
			_, err = c.client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{Conversation: c.name})
			if connect.CodeOf(err) != connect.CodeNotFound || detailOf(t, err).GetCode() != parleyv1.Code_CODE_NOT_FOUND {
				t.Errorf("what was deleted: %v, want not_found", err)
			}
			_, err = c.client.Propose(t.Context(), c.hold(true))
			if connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("holding what was deleted: %v, want not_found", err)
			}
		})
	}
}
