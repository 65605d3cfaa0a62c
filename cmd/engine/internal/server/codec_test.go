package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

func TestAJSONBodyThatDoesNotFitIsRefusedByField(t *testing.T) {
	tests := []struct{ name, body, field, message string }{
		{"unknown field", `{"conversation":"group:42","post":{"seq":"7","sennder":"ann"}}`, "sennder", `unknown field "sennder"`},
		{"unknown field at the top", `{"conversion":"group:42"}`, "conversion", `unknown field "conversion"`},
		{"unknown field with an escape", `{"a\"b":1}`, `a"b`, `unknown field "a\"b"`},
		{"unknown field with a line break", `{"a\nb":1}`, "a\nb", `unknown field "a\nb"`},
		{"unknown enum value", `{"ack":"ACK_MAYBE"}`, "ack", `ack cannot be "ACK_MAYBE"`},
		{"a word for a number", `{"ifGeneration":"five"}`, "if_generation", `if_generation cannot be "five"`},
		{"a negative number", `{"post":{"seq":-1}}`, "seq", `seq cannot be -1`},
		{"a fraction", `{"post":{"seq":1.5}}`, "seq", `seq cannot be 1.5`},
		{"a number too large", `{"post":{"seq":"18446744073709551616"}}`, "seq", `seq cannot be "18446744073709551616"`},
		{"bad base64", `{"post":{"preview":"%%"}}`, "preview", `preview cannot be "%%"`},
		{"nothing", ``, "body", `body is empty: expected a JSON object`},
		{"spaces", "  \n", "body", `body is empty: expected a JSON object`},
		{"not UTF-8", "{\"conversation\":\"group:\xff\"}", "conversation", `conversation must be valid UTF-8`},
		{"not UTF-8 further in", "{\"post\":{\"mentions\":[\"ok\",\"\xff\"]}}", "post.mentions[1]", `post.mentions[1] must be valid UTF-8`},
		{"not UTF-8 in a name", "{\"conversa\xfftion\":\"group:42\"}", "body", `body must be valid UTF-8`},
	}
	f := start(t, &fakeEngine{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"} {
				err := f.call(t, contentType, []byte(test.body))
				wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, test.field, test.message)
			}
		})
	}
}

func TestABodyThatIsNoMessageIsRefusedWithItsPlace(t *testing.T) {
	tests := []struct{ name, contentType, body, message string }{
		{"broken JSON", "application/json", `{"conversation": group:42}`, "syntax error (line 1:18)"},
		{"half a body", "application/json", `{"conversation":"group:42"`, "unexpected EOF"},
		{"an array", "application/json", `[]`, "unexpected token ["},
		{"two changes", "application/json", `{"post":{},"join":{}}`, `oneof parley.v1.ProposeRequest.change is already set`},
		{"a bad time", "application/json", `{"post":{"sentAt":"today"}}`, `invalid google.protobuf.Timestamp value "today"`},
		{"a field twice", "application/json", `{"tag":"1","tag":"2"}`, `duplicate field "tag"`},
		{"broken binary", "application/proto", "\x0a\xff", "is not a protobuf message: cannot parse invalid wire-format data"},
	}
	f := start(t, &fakeEngine{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := f.call(t, test.contentType, []byte(test.body))
			detail := detailOf(t, err)
			if connect.CodeOf(err) != connect.CodeInvalidArgument || detail.GetField() != "body" || !strings.Contains(detail.GetMessage(), test.message) {
				t.Errorf("refused with %v, field %q, %q; want an invalid argument, field body, with %q",
					connect.CodeOf(err), detail.GetField(), detail.GetMessage(), test.message)
			}
		})
	}
}

func TestABinaryStringThatIsNotUTF8IsNamed(t *testing.T) {
	bad := func(field protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), value)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	post := join(bad(2, []byte("ann")), bad(5, []byte("ok")), bad(5, []byte{0xff}))
	tests := []struct {
		name  string
		body  []byte
		field string
	}{
		{"conversation", bad(1, []byte("group:\xff")), "conversation"},
		{"inside a message", bad(2, bad(2, []byte{0xff})), "post.sender"},
		{"inside a list", bad(2, post), "post.mentions[1]"},
		{"bytes may be anything", join(bad(2, bad(4, []byte{0xff})), bad(24, []byte{0xff})), "origin"},
	}
	f := start(t, &fakeEngine{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := f.call(t, "application/proto", test.body)
			wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, test.field, test.field+" must be valid UTF-8")
		})
	}
	batch := join(bad(1, bad(1, []byte("group:1"))), bad(1, bad(2, bad(2, []byte{0xff}))))
	if got := notUTF8InBinary((&parleyv1.ProposeBatchRequest{}).ProtoReflect().Descriptor(), batch); got != "requests[1].post.sender" {
		t.Errorf("in a batch the path is %q", got)
	}
}

func TestABinaryMessageMayHaveUnknownFieldsEvenTheOneThatCarriesFaults(t *testing.T) {
	var got *actors.Proposal
	f := start(t, &fakeEngine{propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
		got = p
		return actors.Reply{}, nil
	}})
	request := readRequest("group:42")
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 999, protowire.VarintType), 7)
	unknown = protowire.AppendBytes(protowire.AppendTag(unknown, faultField, protowire.BytesType), []byte("forged"))
	request.ProtoReflect().SetUnknown(unknown)
	for _, wire := range []string{"gRPC", "gRPC-Web", "Connect binary"} {
		got = nil
		if _, err := f.wires()[wire].Propose(t.Context(), request); err != nil {
			t.Errorf("%s: %v", wire, err)
		}
		if got == nil || got.Conversation != "group:42" {
			t.Errorf("%s: the engine got %v", wire, got)
		}
	}
}

func TestAFaultIsNeverMistakenForAMessage(t *testing.T) {
	f := start(t, &fakeEngine{})
	stub := &stubConn{body: []byte(`{"nonsense":1}`)}
	handler := faultInterceptor{}.WrapStreamingHandler(func(_ context.Context, conn connect.StreamingHandlerConn) error {
		return conn.Receive(&parleyv1.ProposeRequest{})
	})
	wantRefusal(t, handler(t.Context(), stub), connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "nonsense", `unknown field "nonsense"`)
	// Over gRPC with JSON, which few speak.
	client := parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPC(), connect.WithCodec(garbageCodec{}))
	_, err := client.Propose(t.Context(), readRequest("group:42"))
	wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "nonsense", `unknown field "nonsense"`)
}

func TestJSONAnswersSayZeroAndHaveNoSpaces(t *testing.T) {
	encoded, err := jsonCodec{}.Marshal(&parleyv1.Conversation{Conversation: "group:42", Membership: &parleyv1.Membership{User: "a b"}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(encoded)
	for _, want := range []string{`"conversation":"group:42"`, `"lastSeq":"0"`, `"membership":{"user":"a b"`, `"unread":"0"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer lacks %s: %s", want, text)
		}
	}
	if strings.Contains(strings.ReplaceAll(text, "a b", ""), " ") {
		t.Errorf("the answer has spaces: %s", text)
	}
	back := &parleyv1.Conversation{}
	if err := (jsonCodec{}).Unmarshal(encoded, back); err != nil {
		t.Fatal(err)
	}
	want := &parleyv1.Conversation{Conversation: "group:42", Membership: &parleyv1.Membership{User: "a b"}}
	if diff := cmp.Diff(want, back, protocmp.Transform()); diff != "" {
		t.Errorf("decoded again (-want +got):\n%s", diff)
	}
}

func TestACodecTakesOnlyProtobufMessages(t *testing.T) {
	for _, codec := range []connect.Codec{binaryCodec{}, jsonCodec{}} {
		if _, err := codec.Marshal("text"); err == nil {
			t.Errorf("%T marshals a string", codec)
		}
		if err := codec.Unmarshal(nil, "text"); err == nil {
			t.Errorf("%T unmarshals into a string", codec)
		}
	}
}

func FuzzDecodingLeavesAMessageOrAFault(f *testing.F) {
	f.Add([]byte(`{"conversation":"group:42"}`))
	f.Add([]byte("{\"sender\":\"\xff\"}"))
	f.Add([]byte("\x0a\x03abc\x12\x02\x12\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, codec := range []connect.Codec{binaryCodec{}, jsonCodec{}} {
			message := &parleyv1.ProposeBatchRequest{}
			if err := codec.Unmarshal(data, message); err != nil {
				t.Fatalf("%T: %v", codec, err)
			}
			err := checkFault(message)
			if err == nil {
				continue
			}
			if detail := detailOf(t, err); detail.GetField() == "" && detail.GetMessage() == "" || len(message.GetRequests()) > 0 {
				t.Errorf("%T left %v beside the fault %v", codec, message, detail)
			}
		}
	})
}

// call sends a body to Propose as it is, and returns the error that a client makes of the answer.
func (f *fixture) call(t *testing.T, contentType string, body []byte) error {
	t.Helper()
	client := connect.NewClient[parleyv1.ProposeRequest, parleyv1.ProposeResponse](
		&http.Client{Transport: rawBody{contentType: contentType, body: body, next: f.client.Transport}},
		f.url+parleyv1connect.ConversationServiceProposeProcedure,
	)
	_, err := client.CallUnary(t.Context(), connect.NewRequest(&parleyv1.ProposeRequest{}))
	if err == nil {
		t.Fatalf("the call succeeded with the body %q", body)
	}
	return err
}

// rawBody replaces what a client sends.
type rawBody struct {
	contentType string
	body        []byte
	next        http.RoundTripper
}

func (b rawBody) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		_ = request.Body.Close()
	}
	raw, err := http.NewRequestWithContext(request.Context(), request.Method, request.URL.String(), bytes.NewReader(b.body))
	if err != nil {
		return nil, err
	}
	raw.Header = request.Header.Clone()
	raw.Header.Set("Content-Type", b.contentType)
	return b.next.RoundTrip(raw)
}

// garbageCodec sends JSON with an unknown field.
type garbageCodec struct{}

func (garbageCodec) Name() string                    { return "json" }
func (garbageCodec) Marshal(any) ([]byte, error)     { return []byte(`{"nonsense":1}`), nil }
func (garbageCodec) Unmarshal(b []byte, m any) error { return jsonCodec{}.Unmarshal(b, m) }

// stubConn receives one body.
type stubConn struct {
	connect.StreamingHandlerConn

	body []byte
}

var errEnd = errors.New("end")

func (c *stubConn) Receive(message any) error {
	if c.body == nil {
		return errEnd
	}
	body := c.body
	c.body = nil
	return jsonCodec{}.Unmarshal(body, message)
}
