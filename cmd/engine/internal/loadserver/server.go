// Package loadserver lets package load send its load to a server, over the wire that any client speaks: Connect, with protobuf's binary form, over HTTP/1.1.
package loadserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// vitalsWithin bounds how long the server's metrics are waited for.
const vitalsWithin = 5 * time.Second

// Server is a server that takes a load. It implements [load.Target].
type Server struct {
	proposals, asks *http.Transport // with connections of their own: a crowd that asks is not in the way of who proposes
	beside          *http.Transport // for what is not measured
	propose         parleyv1connect.ConversationServiceClient
	ask             parleyv1connect.ConversationServiceClient
	watch           parleyv1connect.ConversationServiceClient
	metrics         string
}

// New returns the server at a URL, whose metrics are at another. Proposals travel over so many connections, and questions what changed over as many others; what comes while all
// are busy waits for one. The caller closes it.
func New(url, metrics string, connections int) *Server {
	transport := func(most int) *http.Transport {
		return &http.Transport{MaxConnsPerHost: most, MaxIdleConnsPerHost: most, DisableCompression: true}
	}
	s := &Server{proposals: transport(connections), asks: transport(connections), beside: transport(0), metrics: metrics}
	client := func(over *http.Transport) parleyv1connect.ConversationServiceClient {
		return parleyv1connect.NewConversationServiceClient(&http.Client{Transport: over}, url)
	}
	s.propose, s.ask, s.watch = client(s.proposals), client(s.asks), client(s.beside)
	return s
}

// Close closes the connections. Nothing may be under way.
func (s *Server) Close() {
	for _, t := range []*http.Transport{s.proposals, s.asks, s.beside} {
		t.CloseIdleConnections()
	}
}

// ProposeBatch implements [load.Target]. A single proposal travels as one, by the call that is for that.
func (s *Server) ProposeBatch(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
	requests := make([]*parleyv1.ProposeRequest, len(batch))
	for i, p := range batch {
		request, err := requestOf(p)
		if err != nil {
			return nil, err
		}
		requests[i] = request
	}
	if len(requests) == 1 {
		response, err := s.propose.Propose(ctx, requests[0])
		if err != nil {
			return []actors.Reply{{Conversation: batch[0].Conversation, Err: errorOf(err)}}, nil
		}
		return []actors.Reply{replyOf(response)}, nil
	}
	response, err := s.propose.ProposeBatch(ctx, &parleyv1.ProposeBatchRequest{Requests: requests})
	if err != nil {
		return nil, errorOf(err)
	}
	replies := make([]actors.Reply, len(response.GetResponses()))
	for i, r := range response.GetResponses() {
		replies[i] = replyOf(r)
	}
	return replies, nil
}

// Sync implements [load.Target].
func (s *Server) Sync(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
	response, err := s.ask.Sync(ctx, &parleyv1.SyncRequest{User: q.User, Cursor: q.Cursor, Limit: uint32(max(0, q.Limit))})
	if err != nil {
		return actors.SyncPage{}, errorOf(err)
	}
	return actors.SyncPage{Cursor: response.GetCursor(), Full: response.GetFull(), More: response.GetMore()}, nil
}

// Expirations implements [load.Target]: it watches.
func (s *Server) Expirations(ctx context.Context, began func(), tell func(load.Expiration)) error {
	stream, err := s.watch.Watch(ctx, &parleyv1.WatchRequest{ExpiredOnly: true, Namespaces: []string{workload.ExpiringNamespace}})
	if err != nil {
		return errorOf(err)
	}
	defer stream.Close()
	for stream.Receive() {
		began() // what comes first says that it has
		if expired := stream.Msg().GetExpired(); expired != nil {
			tell(load.Expiration{Conversation: stream.Msg().GetConversation(), Lateness: expired.GetLateness().AsDuration()})
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errorOf(stream.Err())
}

// Vitals implements [load.Target]: it reads the server's metrics.
func (s *Server) Vitals(ctx context.Context) (load.Vitals, error) {
	ctx, cancel := context.WithTimeout(ctx, vitalsWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, http.NoBody)
	if err != nil {
		return load.Vitals{}, fmt.Errorf("metrics: %w", err)
	}
	response, err := (&http.Client{Transport: s.beside}).Do(request)
	if err != nil {
		return load.Vitals{}, fmt.Errorf("metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return load.Vitals{}, fmt.Errorf("metrics: %s answers %s", s.metrics, response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return load.Vitals{}, fmt.Errorf("metrics: %s: %w", s.metrics, err)
	}
	return vitalsOf(families), nil
}
