package server

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// limitBody refuses a request whose message is larger than [MaxBody] with an error that names the limit, before more than that was read. A stream
// has no such limit as a whole, only for each of its messages, which Connect watches over, as it does over what a compressed message becomes.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == parleyv1connect.ConversationServiceProposeStreamProcedure:
		case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
			r.Body = &envelopedBody{ReadCloser: r.Body}
		default:
			r.Body = &plainBody{ReadCloser: r.Body, left: MaxBody}
		}
		next.ServeHTTP(w, r)
	})
}

// plainBody is a body that is the message.
type plainBody struct {
	io.ReadCloser
	left int64 // below zero: it was too large
}

// Read fails once more than MaxBody bytes came. Connect passes an error of its own type on as it is.
func (b *plainBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, tooLarge()
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, tooLarge()
	}
	return n, err
}

// envelopedBody is a body whose message has gRPC's prefix: a byte of flags and four that tell its length.
type envelopedBody struct {
	io.ReadCloser
	started bool
	prefix  []byte // what is left of it to hand on
}

// Read fails at once where the prefix promises more than MaxBody bytes.
func (b *envelopedBody) Read(p []byte) (int, error) {
	if !b.started {
		b.started = true
		prefix := make([]byte, 5)
		n, err := io.ReadFull(b.ReadCloser, prefix)
		if n == 0 {
			return 0, err
		}
		if n == len(prefix) && binary.BigEndian.Uint32(prefix[1:]) > MaxBody {
			return 0, tooLarge()
		}
		b.prefix = prefix[:n]
	}
	if len(b.prefix) > 0 {
		n := copy(p, b.prefix)
		b.prefix = b.prefix[n:]
		return n, nil
	}
	return b.ReadCloser.Read(p)
}

func tooLarge() *connect.Error {
	detail := fault("body", fmt.Sprintf("must be at most %d bytes", MaxBody))
	return refusal{code: connect.CodeResourceExhausted, detail: detail}.connectError()
}
