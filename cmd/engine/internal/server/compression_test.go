package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestAnswersAreCompressedWhereThatSavesSomething(t *testing.T) {
	server := start(t, &fakeEngine{
		proposeBatch: echoBatch,
		propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
			return actors.Reply{Conversation: p.Conversation}, nil
		},
	})
	handler := server.Handler()
	one := readRequest("x:1")
	many := &parleyv1.ProposeBatchRequest{}
	for range compressFrom / 4 {
		many.Requests = append(many.GetRequests(), one)
	}
	tests := []struct {
		name, from, call string
		request          proto.Message
		compressed       bool
	}{
		{"a long one to another machine", "192.0.2.1:1234", "ProposeBatch", many, true},
		{"a long one to another machine, by IPv6", "[2001:db8::1]:1234", "ProposeBatch", many, true},
		{"a short one to another machine", "192.0.2.1:1234", "Propose", one, false},
		{"a long one to this machine", "127.0.0.1:1234", "ProposeBatch", many, false},
		{"a long one to this machine, by IPv6", "[::1]:1234", "ProposeBatch", many, false},
		{"a long one to this machine, by IPv4 in IPv6", "[::ffff:127.0.0.2]:1234", "ProposeBatch", many, false},
		{"a long one to who knows whom", "", "ProposeBatch", many, true},
	}
	for _, test := range tests {
		for _, contentType := range []string{"application/proto", "application/grpc"} {
			t.Run(test.name+", "+contentType, func(t *testing.T) {
				body, err := proto.Marshal(test.request)
				if err != nil {
					t.Fatal(err)
				}
				accept := "Accept-Encoding"
				if contentType == "application/grpc" {
					accept = "Grpc-Accept-Encoding"
					body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
				}
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/parley.v1.ConversationService/"+test.call, bytes.NewReader(body))
				request.ProtoMajor, request.ProtoMinor, request.Proto = 2, 0, "HTTP/2.0"
				request.RemoteAddr = test.from
				request.Header.Set("Content-Type", contentType)
				request.Header.Set(accept, "gzip")
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, request)
				if answer.Code != http.StatusOK || answer.Body.Len() == 0 {
					t.Fatalf("status %d, %d bytes", answer.Code, answer.Body.Len())
				}
				compressed := answer.Header().Get("Content-Encoding") == "gzip"
				if contentType == "application/grpc" {
					compressed = answer.Body.Bytes()[0] == 1
				}
				if compressed != test.compressed {
					t.Errorf("compressed: %v, want %v; %d bytes, %v", compressed, test.compressed, answer.Body.Len(), answer.Header())
				}
			})
		}
	}
}
