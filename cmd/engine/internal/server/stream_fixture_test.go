package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// clientStream is a ProposeStream as its client sees it.
type clientStream = connect.BidiStreamForClientSimple[parleyv1.ProposeRequest, parleyv1.ProposeResponse]

// piped is a server under test in a bubble of testing/synctest: its connections are pipes, so that the bubble knows when all is quiet. It has limits on reading and
// writing, as the engine's has.
type piped struct {
	*Server

	client parleyv1connect.ConversationServiceClient
	log    *strings.Builder
	calls  sync.WaitGroup // under way
}

// pipedTimeout is the server's limit on reading and writing.
const pipedTimeout = 10 * time.Second

func startPiped(t *testing.T, engine Engine) *piped {
	t.Helper()
	f := &piped{log: &strings.Builder{}}
	f.Server = New(zerolog.New(zerolog.SyncWriter(f.log)))
	f.Ready(engine)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	handler := f.Handler()
	network := newPipes()
	server := &http.Server{
		Protocols: &protocols, ReadTimeout: pipedTimeout, WriteTimeout: pipedTimeout, IdleTimeout: time.Hour,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f.calls.Add(1)
			defer f.calls.Done()
			handler.ServeHTTP(w, r)
		}),
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(network) })
	client := &http.Client{Transport: &http.Transport{
		Protocols:   &protocols,
		HTTP2:       &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10},
		DialContext: network.dial,
	}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	f.client = parleyv1connect.NewConversationServiceClient(client, pipeURL, connect.WithGRPC())
	return f
}

// open returns a stream that the server has begun to answer.
func (f *piped) open(ctx context.Context, t *testing.T) *clientStream {
	t.Helper()
	stream, err := f.client.ProposeStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// patientEngine keeps proposals until a test answers them.
type patientEngine struct {
	fakeEngine

	mu   sync.Mutex
	kept []keptProposal
}

type keptProposal struct {
	*actors.Proposal

	answer func(*actors.Reply)
}

func (e *patientEngine) ProposeFunc(p *actors.Proposal, answer func(*actors.Reply)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, keptProposal{p, answer})
}

// take returns what was proposed since the last call.
func (e *patientEngine) take() []keptProposal {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := e.kept
	e.kept = nil
	return kept
}

func (p keptProposal) good() {
	p.answer(&actors.Reply{Conversation: p.Conversation, Tag: p.Tag, Ack: actors.AckCommitted})
}

// tagged returns a small proposal.
func tagged(name string, tag uint64) *parleyv1.ProposeRequest {
	return &parleyv1.ProposeRequest{Conversation: name, Tag: tag, Change: &parleyv1.ProposeRequest_Hold{Hold: &parleyv1.Hold{}}}
}

func sendAll(t *testing.T, stream *clientStream, requests ...*parleyv1.ProposeRequest) {
	t.Helper()
	for i, request := range requests {
		if err := stream.Send(request); err != nil {
			t.Fatalf("send %d: %v", i, err)
		}
	}
}

// ended receives the rest of a stream: the responses, and what it ended with, nil where it ended well.
func ended(t *testing.T, stream *clientStream) (responses []*parleyv1.ProposeResponse, err error) {
	t.Helper()
	for {
		response, err := stream.Receive()
		if err == nil {
			responses = append(responses, response)
			continue
		}
		_ = stream.CloseResponse() // the stream has ended
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return responses, err
	}
}
