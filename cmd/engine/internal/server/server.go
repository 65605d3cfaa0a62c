// Package server is the engine's door for other processes: the services of api.proto and operator.proto over gRPC, gRPC-Web and plain JSON on
// one port, and two pages that say how the process is.
//
// It converts and refuses; it decides nothing. What makes a name, a change or a query acceptable is the engine's to say, so that every door
// answers alike. The server itself refuses only what cannot be turned into a call: a body that does not decode or is too large, a change that
// this version does not know, a time that is none.
package server

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// Limits on one request.
const (
	MaxBody  = 4 << 20 // bytes of a request's message, as sent and when unpacked
	MaxBatch = 1_000   // requests in a batch
)

// Engine is what the server asks of an engine; [actors.Engine] is one.
type Engine interface {
	Propose(ctx context.Context, p *actors.Proposal) (actors.Reply, error)
	ProposeFunc(p *actors.Proposal, answer func(*actors.Reply))
	ProposeBatch(ctx context.Context, ps []*actors.Proposal) ([]actors.Reply, error)
	Get(ctx context.Context, id, user string) (conversation.View, error)
	Conversations(ctx context.Context, q actors.ListQuery) (actors.ListPage, error)
	Members(ctx context.Context, q actors.MembersQuery) (actors.MembersPage, error)
	Badge(ctx context.Context, user string) (actors.Badge, error)
	Sync(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error)
	ForgetUser(ctx context.Context, user string) (remaining uint64, err error)
	Forgetting(ctx context.Context, user string) (remaining uint64, err error)
	ExplainConversations(ctx context.Context, q actors.ListQuery) (actors.ListExplanation, error)
	ExplainConversation(ctx context.Context, name, user string) (*actors.ConversationExplanation, error)
	ApplyPolicies(ctx context.Context, namespace string, progress func(actors.ApplyProgress)) (actors.ApplyProgress, error)
	PreviewExpiry(ctx context.Context, q actors.PreviewQuery) (actors.Preview, error)
	Watch(ctx context.Context, q actors.WatchQuery) (*actors.Watch, error)
}

// Server answers HTTP requests. It starts out not ready: calls are refused as unavailable until [Server.Ready].
type Server struct {
	log   zerolog.Logger
	state atomic.Pointer[state]
}

// state is what the server answers with from one moment to the next.
type state struct {
	engine Engine        // nil: there is none yet
	reason string        // why the server is not ready; "": it is
	over   chan struct{} // closed when another state takes its place: streams that began in it end
}

// New returns a server that is starting.
func New(log zerolog.Logger) *Server {
	s := &Server{log: log}
	s.become(nil, "starting: the store is being opened")
	return s
}

func (s *Server) become(engine Engine, reason string) {
	if old := s.state.Swap(&state{engine: engine, reason: reason, over: make(chan struct{})}); old != nil {
		close(old.over)
	}
}

// Ready makes the server answer from the engine.
func (s *Server) Ready(engine Engine) { s.become(engine, "") }

// Unready makes /readyz answer 503 with the reason. Calls still go to the engine, if there is one: it finishes what it accepted and refuses the rest. Streams
// end once what they have outstanding is answered.
func (s *Server) Unready(reason string) { s.become(s.state.Load().engine, reason) }

// Handler returns the server's routes: the services, /healthz (200 while the process runs) and /readyz (200 while calls are answered, else 503
// with a sentence).
func (s *Server) Handler() http.Handler {
	options := []connect.HandlerOption{
		connect.WithCodec(binaryCodec{}),
		connect.WithCodec(jsonCodec{name: "json"}),
		connect.WithCodec(jsonCodec{name: "json; charset=utf-8"}),
		connect.WithInterceptors(faultInterceptor{}),
		connect.WithReadMaxBytes(MaxBody),
		connect.WithCompressMinBytes(compressFrom),
		connect.WithRecover(s.recovered),
	}
	calls := &service{server: s}
	mux := http.NewServeMux()
	serve := func(path string, handler http.Handler) {
		mux.Handle(path, streamHTTP(explainMediaType(spareLoopback(limitBody(liftLimits(handler))))))
	}
	serve(parleyv1connect.NewConversationServiceHandler(calls, options...))
	serve(parleyv1connect.NewOperatorServiceHandler(&operator{service: calls}, options...))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux
}

// engine returns the engine, or why there is none.
func (s *Server) engine() (Engine, error) {
	state := s.state.Load()
	if state.engine == nil {
		return nil, &conversation.Error{Kind: conversation.ErrUnavailable, Reason: state.reason}
	}
	return state.engine, nil
}

func (s *Server) recovered(_ context.Context, spec connect.Spec, _ http.Header, panicked any) error {
	s.log.Error().Str("procedure", spec.Procedure).Interface("reason", panicked).Bytes("stack", debug.Stack()).Msg("call panicked")
	return internalRefusal().connectError()
}
