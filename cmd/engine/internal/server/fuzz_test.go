package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// unaryCalls are the calls of one request and one response, with an empty request of each.
var unaryCalls = []struct {
	path    string
	request proto.Message
}{
	{"/parley.v1.ConversationService/Propose", &parleyv1.ProposeRequest{}},
	{"/parley.v1.ConversationService/ProposeBatch", &parleyv1.ProposeBatchRequest{}},
	{"/parley.v1.ConversationService/GetConversation", &parleyv1.GetConversationRequest{}},
	{"/parley.v1.ConversationService/ListConversations", &parleyv1.ListConversationsRequest{}},
	{"/parley.v1.ConversationService/ListMembers", &parleyv1.ListMembersRequest{}},
	{"/parley.v1.ConversationService/GetBadge", &parleyv1.GetBadgeRequest{}},
	{"/parley.v1.ConversationService/Sync", &parleyv1.SyncRequest{}},
	{"/parley.v1.ConversationService/ForgetUser", &parleyv1.ForgetUserRequest{}},
	{"/parley.v1.OperatorService/Rewind", &parleyv1.RewindRequest{}},
	{"/parley.v1.OperatorService/ExplainList", &parleyv1.ExplainListRequest{}},
	{"/parley.v1.OperatorService/ExplainConversation", &parleyv1.ExplainConversationRequest{}},
}

// unaryBodies are bodies that reach far, by the number of their call.
var unaryBodies = []struct {
	call int
	body string
}{
	{0, `{"conversation":"group:1","post":{"seq":"2","sender":"ann","preview":"aGk=","mentions":["bob"],"members":["bob"],"sentAt":"2020-03-01T12:30:00Z"}}`},
	{0, `{"conversation":"group:1","amend":{"seq":"1","retracted":true},"ack":"ACK_APPLIED","tag":"7","origin":"phone"}`},
	{0, `{"conversation":"group:1","join":{"users":["cid"],"visibleFrom":"1"},"revision":"3"}`},
	{0, `{"conversation":"group:1","leave":{"users":["bob"],"keep":true}}`},
	{0, `{"conversation":"group:1","read":{"user":"bob","seq":"1"}}`},
	{0, `{"conversation":"group:1","deliver":{"user":"bob","seq":"1"}}`},
	{0, `{"conversation":"group:1","markUnread":{"user":"bob","seq":"1"}}`},
	{0, `{"conversation":"group:1","clear":{"user":"bob","seq":"1","hide":true}}`},
	{0, `{"conversation":"group:1","set":{"user":"bob","pin":"7","mutedUntil":"9999-12-31T23:59:59Z","hide":1,"tags":"6","custom":"AP8=","draft":{"text":"aGk="}}}`},
	{0, `{"conversation":"group:1","hold":{"on":true}}`},
	{0, `{"conversation":"group:1","delete":{},"ifGeneration":"1"}`},
	{1, `{"requests":[{"conversation":"group:1","read":{"user":"ann","seq":"1"}},{"tag":"1"},{"conversation":"x"}]}`},
	{2, `{"conversation":"group:1","user":"bob"}`},
	{3, `{"user":"bob","limit":1,"unreadOnly":true,"tagsAny":"1","hidden":true,"pageToken":"eyJvIjoxLCJuIjoiZ3JvdXA6MSJ9"}`},
	{4, `{"conversation":"group:1","users":["ann","nobody"]}`},
	{4, `{"conversation":"group:1","limit":1,"pageToken":"YW5u"}`},
	{5, `{"user":"bob"}`},
	{6, `{"user":"bob","cursor":"x","limit":3}`},
	{6, `{"user":"bob","limit":1}`},
	{6, `{"user":"bob","cursor":"AQAAAAAAAAAHAgAAfiNm1w"}`},
	{7, `{"user":"bob"}`},
	{8, `{"conversation":"group:1","from":"1","to":"0"}`},
	{9, `{"user":"bob","limit":1,"unreadOnly":true,"tagsAny":"1","hidden":true,"pageToken":"eyJvIjoxLCJuIjoiZ3JvdXA6MSJ9"}`},
}

// fuzzed is a server with a real engine on a store in memory, without a network. It is made anew from time to time, so that the store stays small.
type fuzzed struct {
	engine  *actors.Engine
	store   *persistencetest.Store
	handler http.Handler
	bodies  [][]byte // what was sent since the store was empty
}

// fuzzedBodies is how many bodies one store sees.
const fuzzedBodies = 256

func newFuzzed(t *testing.T) *fuzzed {
	t.Helper()
	f := &fuzzed{store: persistencetest.NewStore()}
	engine, err := actors.Start(context.Background(), nil, f.store, actors.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f.engine = engine
	server := New(zerolog.Nop())
	server.Ready(engine)
	f.handler = server.Handler()
	f.send(t, unaryCalls[0].path, "application/json", []byte(`{"conversation":"group:1","post":{"seq":"1","sender":"ann","members":["bob"]}}`))
	return f
}

// next returns the server for one more body: f, or a new one in its place.
func (f *fuzzed) next(t *testing.T) *fuzzed {
	t.Helper()
	if f != nil && len(f.bodies) < fuzzedBodies {
		return f
	}
	f.close(t)
	return newFuzzed(t)
}

func (f *fuzzed) close(tb testing.TB) {
	tb.Helper()
	if f == nil {
		return
	}
	if err := f.engine.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
}

func (f *fuzzed) send(t *testing.T, path, contentType string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	f.bodies = append(f.bodies, body)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	request.ProtoMajor, request.ProtoMinor, request.Proto = 2, 0, "HTTP/2.0"
	recorder := httptest.NewRecorder()
	f.handler.ServeHTTP(recorder, request)
	return recorder
}

// check fails the test where the store contradicts itself.
func (f *fuzzed) check(t *testing.T) {
	t.Helper()
	if err := f.engine.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	snapshot, err := f.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for _, err := range persistencetest.Check(t.Context(), snapshot) {
		t.Errorf("the store contradicts itself: %v\nafter the bodies %q", err, f.bodies)
	}
}

// binaryOf returns a JSON body in binary, for seeds.
func binaryOf(f *testing.F, call int, body string) []byte {
	f.Helper()
	message := proto.Clone(unaryCalls[call].request)
	if err := protojson.Unmarshal([]byte(body), message); err != nil {
		f.Fatal(err)
	}
	encoded, err := proto.Marshal(message)
	if err != nil {
		f.Fatal(err)
	}
	return encoded
}

// FuzzUnaryCalls holds every call of one request to its word on whatever body there may be: it answers, or refuses with a typed error that names a field of the request;
// and what was accepted leaves a sound store.
func FuzzUnaryCalls(f *testing.F) {
	for _, seed := range unaryBodies {
		f.Add(uint8(seed.call), false, []byte(seed.body))
		f.Add(uint8(seed.call), true, binaryOf(f, seed.call, seed.body))
	}
	f.Add(uint8(0), false, []byte(`{"conversation":`))
	f.Add(uint8(0), true, []byte("\x0a\xff"))
	var server *fuzzed
	f.Cleanup(func() { server.close(f) })
	f.Fuzz(func(t *testing.T, number uint8, isBinary bool, body []byte) {
		server = server.next(t)
		call := unaryCalls[int(number)%len(unaryCalls)]
		contentType := "application/json"
		if isBinary {
			contentType = "application/proto"
		}
		answer := server.send(t, call.path, contentType, body)
		wantAnswerOrRefusal(t, call.request, answer, isBinary)
		if answer.Code == http.StatusOK {
			server.check(t)
		}
	})
}

// wantAnswerOrRefusal checks the HTTP answer to a unary call.
func wantAnswerOrRefusal(t *testing.T, request proto.Message, answer *httptest.ResponseRecorder, isBinary bool) {
	t.Helper()
	switch answer.Code {
	case http.StatusOK:
		if _, ok := request.(*parleyv1.ProposeBatchRequest); !ok {
			return
		}
		batch := &parleyv1.ProposeBatchResponse{}
		decode := protojson.Unmarshal
		if isBinary {
			decode = proto.Unmarshal
		}
		if err := decode(answer.Body.Bytes(), batch); err != nil {
			t.Fatalf("the answer %q: %v", answer.Body, err)
		}
		for _, r := range batch.GetResponses() {
			wantTyped(t, (&parleyv1.ProposeRequest{}).ProtoReflect().Descriptor(), r.GetError())
		}
		return
	case http.StatusNotImplemented:
		if _, ok := request.(*parleyv1.ForgetUserRequest); !ok { // the one call that is not built
			t.Fatalf("not built: %s", answer.Body)
		}
		return
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	var refused struct {
		Code    string
		Details []struct{ Type, Value string }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &refused); err != nil || len(refused.Details) != 1 || refused.Details[0].Type != "parley.v1.Error" {
		t.Fatalf("status %d without our detail: %s (%v)", answer.Code, answer.Body, err)
	}
	value, err := base64.RawStdEncoding.DecodeString(refused.Details[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	detail := &parleyv1.Error{}
	if err := proto.Unmarshal(value, detail); err != nil {
		t.Fatal(err)
	}
	wantTyped(t, request.ProtoReflect().Descriptor(), detail)
}

// wantTyped checks what a refusal says: a code, a sentence, and of something invalid a field that the request has, or that the sender took it to have.
func wantTyped(t *testing.T, request protoreflect.MessageDescriptor, detail *parleyv1.Error) {
	t.Helper()
	if detail == nil {
		return
	}
	if detail.GetCode() == parleyv1.Code_CODE_UNSPECIFIED || detail.GetMessage() == "" {
		t.Errorf("refused without a code or a reason: %v", detail)
	}
	field := detail.GetField()
	switch {
	case strings.HasPrefix(detail.GetMessage(), "unknown field "), field == "body":
	case field == "" && detail.GetCode() != parleyv1.Code_CODE_INVALID:
	case !hasField(request, field):
		t.Errorf("refused by a field that %s has not: %v", request.Name(), detail)
	}
}

// hasField reports whether a path such as "requests[3].post.seq" leads to a field. A name alone may be anywhere: protojson does not tell where.
func hasField(message protoreflect.MessageDescriptor, path string) bool {
	name, rest, nested := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	if !nested && message.Oneofs().ByName(protoreflect.Name(name)) != nil {
		return true
	}
	field := message.Fields().ByName(protoreflect.Name(name))
	switch {
	case field != nil && !nested:
		return true
	case field != nil && field.Message() != nil:
		return hasField(field.Message(), rest)
	case nested:
		return false
	}
	for i := range message.Fields().Len() {
		if inner := message.Fields().Get(i).Message(); inner != nil && hasField(inner, path) {
			return true
		}
	}
	return false
}

// frame puts gRPC's and Connect's prefix before a message.
func frame(flags byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(message))), message...)
}

// frames returns the messages of whole frames without flags, up to where something else comes, and what comes there.
func frames(data []byte) (messages [][]byte, rest []byte) {
	for len(data) >= 5 && data[0] == 0 {
		size := binary.BigEndian.Uint32(data[1:5])
		if uint64(size) > uint64(len(data)-5) {
			break
		}
		messages, data = append(messages, data[5:5+size]), data[5+size:]
	}
	return messages, data
}

// FuzzProposeStream sends whatever bytes there may be as a stream, over Connect and gRPC: each whole message is answered, the stream ends well or with a typed
// refusal, and what was accepted leaves a sound store.
func FuzzProposeStream(f *testing.F) {
	var all []byte
	for _, seed := range unaryBodies {
		if seed.call == 0 {
			one := frame(0, binaryOf(f, 0, seed.body))
			f.Add(one)
			all = append(all, one...)
		}
	}
	f.Add(all)
	f.Add(append(frame(0, []byte("\x0a\xff")), all...))
	f.Add(append(frame(0, nil), frame(2, nil)...))
	f.Add(append(frame(1, []byte("packed")), all...))
	f.Add(all[:len(all)-1])
	f.Add(append(all, 0, 0xff, 0xff, 0xff, 0xff))
	var server *fuzzed
	f.Cleanup(func() { server.close(f) })
	f.Fuzz(func(t *testing.T, body []byte) {
		server = server.next(t)
		sent, rest := frames(body)
		for _, contentType := range []string{"application/connect+proto", "application/grpc"} {
			answer := server.send(t, "/parley.v1.ConversationService/ProposeStream", contentType, body)
			if answer.Code != http.StatusOK {
				t.Fatalf("%s: status %d: %s", contentType, answer.Code, answer.Body)
			}
			answered, end := frames(answer.Body.Bytes())
			if len(answered) != len(sent) && !compressed(rest) {
				t.Errorf("%s: %d responses to %d whole messages", contentType, len(answered), len(sent))
			}
			for _, message := range answered {
				response := &parleyv1.ProposeResponse{}
				if err := proto.Unmarshal(message, response); err != nil {
					t.Fatalf("%s: response %q: %v", contentType, message, err)
				}
				wantTyped(t, (&parleyv1.ProposeRequest{}).ProtoReflect().Descriptor(), response.GetError())
			}
			if contentType == "application/grpc" {
				switch status := answer.Result().Trailer.Get("Grpc-Status"); status {
				case "0", "3", "8":
				default:
					t.Errorf("gRPC status %q: %v", status, answer.Result().Trailer)
				}
			} else if len(end) < 5 || end[0] != 2 || bytes.Contains(end, []byte(`"internal"`)) || bytes.Contains(end, []byte(`"unknown"`)) {
				t.Errorf("Connect's end: %q", end)
			}
		}
		server.check(t)
	})
}

// compressed reports whether what follows the plain messages may be one that was packed.
func compressed(rest []byte) bool { return len(rest) > 0 && rest[0]&1 != 0 }

// FuzzNotUTF8InBinary looks for a string that is not UTF-8 in whatever bytes there may be: it ends, and names a field where there is one.
func FuzzNotUTF8InBinary(f *testing.F) {
	f.Add([]byte("\x0a\x03abc\x12\x02\x12\xff"))
	f.Add(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte{0xff}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, call := range unaryCalls {
			message := call.request.ProtoReflect().Descriptor()
			if path := notUTF8InBinary(message, data); path != "" && !hasField(message, path) {
				t.Errorf("%s has no field %q", message.Name(), path)
			}
		}
	})
}
