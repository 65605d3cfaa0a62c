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

func setRequest(name string, set *parleyv1.Set) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: name, Change: &parleyv1.ProposeRequest_Set{Set: set}}
}

func TestASettingThatIsAbsentStaysAndOneThatIsZeroIsSetOverEveryWire(t *testing.T) {
	epoch, forEver := time.Unix(0, 0).UTC(), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	edited := time.Date(2020, 3, 1, 12, 30, 0, 123_000, time.UTC)
	tests := []struct {
		name string
		sent *parleyv1.Set
		want conversation.Set
	}{
		{"nothing", &parleyv1.Set{}, conversation.Set{}},
		{"a pin", &parleyv1.Set{Pin: new(uint64(1<<64 - 1))}, conversation.Set{Pin: new(uint64(1<<64 - 1))}},
		{"no pin", &parleyv1.Set{Pin: new(uint64(0))}, conversation.Set{Pin: new(uint64(0))}},
		{"muted for ever", &parleyv1.Set{MutedUntil: timestamppb.New(forEver)}, conversation.Set{MutedUntil: &forEver}},
		{"muted until the epoch", &parleyv1.Set{MutedUntil: timestamppb.New(epoch)}, conversation.Set{MutedUntil: &epoch}},
		{"not hidden", &parleyv1.Set{Hide: parleyv1.Hide_HIDE_NONE.Enum()}, conversation.Set{Hide: new(persistence.HideNone)}},
		{
			"hidden until the next message",
			&parleyv1.Set{Hide: parleyv1.Hide_HIDE_UNTIL_MESSAGE.Enum()},
			conversation.Set{Hide: new(persistence.HideUntilMessage)},
		},
		{"hidden", &parleyv1.Set{Hide: parleyv1.Hide_HIDE_ALWAYS.Enum()}, conversation.Set{Hide: new(persistence.HideAlways)}},
		{"tags", &parleyv1.Set{Tags: new(uint64(1 << 63))}, conversation.Set{Tags: new(uint64(1 << 63))}},
		{"no tags", &parleyv1.Set{Tags: new(uint64(0))}, conversation.Set{Tags: new(uint64(0))}},
		{"custom data", &parleyv1.Set{Custom: []byte{0, 255}}, conversation.Set{Custom: []byte{0, 255}}},
		{"no custom data", &parleyv1.Set{Custom: []byte{}}, conversation.Set{Custom: []byte{}}},
		{
			"a draft",
			&parleyv1.Set{Draft: &parleyv1.Draft{Text: []byte("dear"), EditedAt: timestamppb.New(edited)}},
			conversation.Set{Draft: &conversation.Draft{Text: []byte("dear"), EditedAt: edited}},
		},
		{"a draft of now", &parleyv1.Set{Draft: &parleyv1.Draft{Text: []byte("dear")}}, conversation.Set{Draft: &conversation.Draft{Text: []byte("dear")}}},
		{"no draft", &parleyv1.Set{Draft: &parleyv1.Draft{}}, conversation.Set{Draft: &conversation.Draft{}}},
	}
	var got *actors.Proposal
	f := start(t, &fakeEngine{propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
		got = p
		return actors.Reply{}, nil
	}})
	for _, test := range tests {
		test.sent.User, test.want.User = "ann", "ann"
		want := &actors.Proposal{Conversation: "group:42", Revision: 3, Change: &test.want}
		request := setRequest("group:42", test.sent)
		request.Revision = 3
		for wire, client := range f.wires() {
			t.Run(test.name+" over "+wire, func(t *testing.T) {
				got = nil
				if _, err := client.Propose(t.Context(), request); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("proposal (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAHideThatIsNoneIsRefusedInProcessAndOverEveryWireAlike(t *testing.T) {
	f, engine := startReal(t)
	const message = "set.hide must be 0 (not), 1 (until the next message) or 2 (always), is "
	for hide, digits := range map[parleyv1.Hide]string{
		-1:                       "-1",
		3:                        "3",
		256 + 2:                  "258", // would be cut to a good one
		parleyv1.Hide(-1 << 31):  "-2147483648",
		parleyv1.Hide(1<<31 - 1): "2147483647",
	} {
		request := setRequest("group:42", &parleyv1.Set{User: "ann", Hide: hide.Enum()})
		for wire, client := range f.wires() {
			t.Run(digits+" over "+wire, func(t *testing.T) {
				_, err := client.Propose(t.Context(), request)
				wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "set.hide", message+digits)
				batch, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{Requests: []*parleyv1.ProposeRequest{request}})
				if err != nil {
					t.Fatal(err)
				}
				want := &parleyv1.Error{Code: parleyv1.Code_CODE_INVALID, Field: "set.hide", Message: message + digits}
				if diff := cmp.Diff(want, batch.GetResponses()[0].GetError(), protocmp.Transform()); diff != "" {
					t.Errorf("in a batch (-want +got):\n%s", diff)
				}
			})
		}
	}
	_, err := engine.Propose(t.Context(), &actors.Proposal{
		Conversation: "group:42", Change: &conversation.Set{User: "ann", Hide: new(persistence.Hide(3))},
	})
	if err == nil {
		t.Fatal("the engine takes it in process")
	}
	wantRefusal(t, refusalOf(t.Context(), err).connectError(), connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "set.hide", message+"3")
	t.Run("a word", func(t *testing.T) {
		err := f.call(t, "application/json", []byte(`{"conversation":"group:42","set":{"user":"ann","hide":"HIDE_MAYBE"}}`))
		wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "hide", `hide cannot be "HIDE_MAYBE"`)
	})
}
