package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// sized returns a request that encodes to exactly so many bytes.
func sized(t *testing.T, size int) *parleyv1.ProposeRequest {
	t.Helper()
	request := &parleyv1.ProposeRequest{Change: &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{Preview: make([]byte, size)}}}
	for proto.Size(request) > size {
		post := request.GetPost()
		post.Preview = post.GetPreview()[:len(post.GetPreview())-(proto.Size(request)-size)]
	}
	if got := proto.Size(request); got != size {
		t.Fatalf("the request has %d bytes, want %d", got, size)
	}
	return request
}

func TestAMessageMayBeAsLargeAsTheLimitAndNoLarger(t *testing.T) {
	f := start(t, &fakeEngine{propose: func(context.Context, *actors.Proposal) (actors.Reply, error) { return actors.Reply{Tag: 7}, nil }})
	fits, tooLarge := sized(t, MaxBody), sized(t, MaxBody+1)
	for _, wire := range []string{"gRPC", "gRPC-Web", "Connect binary"} {
		t.Run(wire, func(t *testing.T) {
			client := f.wires()[wire]
			if response, err := client.Propose(t.Context(), fits); err != nil || response.GetTag() != 7 {
				t.Errorf("%d bytes: %v, %v", MaxBody, response, err)
			}
			_, err := client.Propose(t.Context(), tooLarge)
			wantRefusal(t, err, connect.CodeResourceExhausted, parleyv1.Code_CODE_INVALID, "body", "body must be at most 4194304 bytes")
		})
	}
}

func TestALargeJSONBodyIsRefusedWhetherItsLengthWasAnnouncedOrNot(t *testing.T) {
	f := start(t, &fakeEngine{})
	body := `{"conversation":"` + strings.Repeat("x", MaxBody) + `"}`
	for name, reader := range map[string]io.Reader{"announced": strings.NewReader(body), "chunked": iotest.HalfReader(strings.NewReader(body))} {
		t.Run(name, func(t *testing.T) {
			status, answer := f.send(t, "Propose", "application/json", reader)
			if status != http.StatusTooManyRequests || !strings.Contains(answer, "body must be at most 4194304 bytes") {
				t.Errorf("status %d: %s", status, answer)
			}
		})
	}
}

func TestAMessageThatUnpacksToTooMuchIsRefused(t *testing.T) {
	f := start(t, &fakeEngine{})
	_, err := f.wires()["gRPC gzip"].Propose(t.Context(), sized(t, 2*MaxBody)) // zeros: a few KB when packed
	if connect.CodeOf(err) != connect.CodeResourceExhausted || !strings.Contains(err.Error(), "4194304") {
		t.Errorf("error is %v, want resource_exhausted that names the limit", err)
	}
}

func TestAStreamHasNoLimitAsAWhole(t *testing.T) {
	var read int64
	handler := limitBody(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		read, _ = io.Copy(io.Discard, r.Body)
	}))
	for path, want := range map[string]int64{
		"/parley.v1.ConversationService/ProposeStream": 2 * MaxBody,
		"/parley.v1.ConversationService/ProposeBatch":  MaxBody + 1,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(make([]byte, 2*MaxBody)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/connect+proto")
		handler.ServeHTTP(nil, request)
		if read != want {
			t.Errorf("%s: %d bytes were read, want %d", path, read, want)
		}
	}
}

func TestABodyThatBreaksOffIsHandedOnAsItIs(t *testing.T) {
	for _, sent := range []string{"", "\x00", "\x00\x00\x00\x00\x02x", "\x00\x00\x00\x00\x02xy"} {
		enveloped, err := io.ReadAll(iotest.OneByteReader(&envelopedBody{ReadCloser: io.NopCloser(iotest.OneByteReader(strings.NewReader(sent)))}))
		if err != nil || string(enveloped) != sent {
			t.Errorf("enveloped %q became %q, %v", sent, enveloped, err)
		}
		plain, err := io.ReadAll(&plainBody{ReadCloser: io.NopCloser(iotest.OneByteReader(strings.NewReader(sent))), left: MaxBody})
		if err != nil || string(plain) != sent {
			t.Errorf("plain %q became %q, %v", sent, plain, err)
		}
	}
}

func TestAnUnspokenContentTypeIsExplained(t *testing.T) {
	f := start(t, &fakeEngine{})
	status, answer := f.send(t, "Propose", "application/x-www-form-urlencoded", strings.NewReader(`{"conversation":"group:42"}`))
	if status != http.StatusUnsupportedMediaType || !strings.Contains(answer, "set Content-Type: application/json") {
		t.Errorf("status %d: %s", status, answer)
	}
}
