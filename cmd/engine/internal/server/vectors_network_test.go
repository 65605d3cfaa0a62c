package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// pipes is a network within a bubble of testing/synctest, where a goroutine that waits for a socket would keep time from moving.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipes() *pipes { return &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})} }

// Accept implements [net.Listener].
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements [net.Listener].
func (*pipes) Addr() net.Addr { return pipeAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.accepted <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// startOnPipes is start within a bubble: with a network of its own, over HTTP/1.1 or, as gRPC needs, HTTP/2 without TLS.
func startOnPipes(t *testing.T, engine Engine, http2 bool) (*Server, *http.Transport) {
	t.Helper()
	server := New(zerolog.Nop())
	server.Ready(engine)
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	network := newPipes()
	listener := &http.Server{Handler: server.Handler(), Protocols: &protocols}
	var serving sync.WaitGroup
	serving.Go(func() { _ = listener.Serve(network) }) // until Close
	transport := &http.Transport{DialContext: network.dial, Protocols: &protocols}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return server, transport
}

const pipeURL = "http://pipe"

func pipedClient(transport http.RoundTripper, options ...connect.ClientOption) parleyv1connect.ConversationServiceClient {
	return parleyv1connect.NewConversationServiceClient(&http.Client{Transport: transport}, pipeURL, options...)
}
