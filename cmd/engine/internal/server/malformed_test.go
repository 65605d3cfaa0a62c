package server

import (
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestWhatIsNoCallOfTheEnginesIsRefusedByTheServer(t *testing.T) {
	known := "is missing or unknown: expected one of post, amend, join, leave, read, deliver, mark_unread, clear, set, hold, delete"
	tests := []struct {
		name           string
		request        *parleyv1.ProposeRequest
		field, message string
	}{
		{"no change", &parleyv1.ProposeRequest{Conversation: "group:42"}, "change", "change " + known},
		{"no change and no conversation", &parleyv1.ProposeRequest{}, "change", "change " + known},
		{"no change of a name that fits no header", &parleyv1.ProposeRequest{Conversation: strings.Repeat("x", 2<<20)}, "change", "change " + known},
		{
			"ack above the last", ackRequest(3),
			"ack", "ack must be 0 (the default), 1 (applied) or 2 (committed), is 3",
		},
		{
			"ack that would wrap to a good one", ackRequest(257),
			"ack", "ack must be 0 (the default), 1 (applied) or 2 (committed), is 257",
		},
		{"negative ack", ackRequest(-1), "ack", "ack must be 0 (the default), 1 (applied) or 2 (committed), is -1"},
	}
	f := start(t, &fakeEngine{})
	for _, test := range tests {
		for wire, client := range f.wires() {
			t.Run(test.name+" over "+wire, func(t *testing.T) {
				_, err := client.Propose(t.Context(), test.request)
				wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, test.field, test.message)
			})
		}
	}
	t.Run("a change of a later version", func(t *testing.T) {
		later := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "group:42")
		later = protowire.AppendBytes(protowire.AppendTag(later, 13, protowire.BytesType), nil)
		wantRefusal(t, f.call(t, "application/proto", later), connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "change", "change "+known)
	})
}

func TestATimeThatIsNoneIsRefusedByItsField(t *testing.T) {
	tests := []struct {
		field   string
		request func(*timestamppb.Timestamp) *parleyv1.ProposeRequest
	}{
		{"post.sent_at", func(at *timestamppb.Timestamp) *parleyv1.ProposeRequest {
			return postRequest("group:42", &parleyv1.Post{Seq: 1, Sender: "ann", SentAt: at})
		}},
		{"set.muted_until", func(at *timestamppb.Timestamp) *parleyv1.ProposeRequest {
			return setRequest("group:42", &parleyv1.Set{User: "ann", MutedUntil: at})
		}},
		{"set.draft.edited_at", func(at *timestamppb.Timestamp) *parleyv1.ProposeRequest {
			return setRequest("group:42", &parleyv1.Set{User: "ann", Draft: &parleyv1.Draft{EditedAt: at}})
		}},
	}
	none := map[string]*timestamppb.Timestamp{
		"the year 10000":            {Seconds: 253_402_300_800},
		"the year 0":                {Seconds: -62_135_596_801},
		"a second's worth of nanos": {Nanos: 1_000_000_000},
		"negative nanos":            {Nanos: -1},
	}
	f := start(t, &fakeEngine{})
	for _, test := range tests {
		for name, at := range none {
			// JSON has no way to write such a time down: its client fails by itself.
			for _, wire := range []string{"gRPC", "gRPC-Web", "Connect binary"} {
				t.Run(fmt.Sprintf("%s %s over %s", test.field, name, wire), func(t *testing.T) {
					_, err := f.wires()[wire].Propose(t.Context(), test.request(at))
					wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, test.field,
						test.field+" must be a time from the year 1 to the year 9999")
				})
			}
		}
	}
}

func ackRequest(ack parleyv1.Ack) *parleyv1.ProposeRequest {
	request := readRequest("group:42")
	request.Ack = ack
	return request
}
