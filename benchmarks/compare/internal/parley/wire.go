package parley

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/program"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// wire is a client of `engine serve`.
type wire struct {
	p        side.Params
	server   *program.Program
	http     *http.Client
	client   parleyv1connect.ConversationServiceClient
	speakers []*chat.Speaker
}

// OpenWire starts the engine's binary, Program, with retention on, and begins Known conversations there. Callers propose batches of Batch posts over
// loopback (Connect, protobuf, HTTP/1.1), each committed and fsynced, and wait for the answers before the next. Figures: rate, the posts a second.
func OpenWire(ctx context.Context, p side.Params) (_ side.Side, err error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: p.Callers}
	s := &wire{p: p, http: &http.Client{Transport: transport}}
	s.client = parleyv1connect.NewConversationServiceClient(s.http, "http://"+address)
	s.server, err = program.Start(ctx, func(ctx context.Context) error { return s.ready(ctx, address) },
		p.Program, "serve", "--listen", address, "--data", filepath.Join(p.Dir, "store"), "--expire-after", "30d", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	people := chat.NewPopulation(p.Known, max(1, p.Members))
	if err := s.begin(ctx, people); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.speakers = chat.NewSpeakers(people, p.Hot, p.Callers)
	return s, nil
}

func (s *wire) ready(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it is not ready: %s", response.Status)
	}
	return nil
}

func (s *wire) begin(ctx context.Context, people *chat.Population) error {
	return inBatches(len(people.Names), func(from, to int) error {
		batch := make([]*actors.Proposal, 0, to-from)
		for i := from; i < to; i++ {
			batch = append(batch, people.First(i))
		}
		return s.propose(ctx, batch)
	})
}

// propose has a batch committed, all of it.
func (s *wire) propose(ctx context.Context, batch []*actors.Proposal) error {
	request := &parleyv1.ProposeBatchRequest{Requests: make([]*parleyv1.ProposeRequest, len(batch))}
	for i, p := range batch {
		post := p.Change.(*conversation.Post) //nolint:errcheck,forcetypeassert // the load has no other changes
		request.Requests[i] = &parleyv1.ProposeRequest{
			Conversation: p.Conversation,
			Ack:          parleyv1.Ack_ACK_COMMITTED,
			Change: &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{
				Seq: post.Seq, Sender: post.Sender, Preview: post.Preview, Members: post.Members,
			}},
		}
	}
	response, err := s.client.ProposeBatch(ctx, request)
	if err != nil {
		return fmt.Errorf("over the wire: %w", err)
	}
	for _, reply := range response.GetResponses() {
		if refused := reply.GetError(); refused != nil {
			return fmt.Errorf("over the wire: %v", refused)
		}
	}
	return nil
}

// Round implements [side.Side].
func (s *wire) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		batch := make([]*actors.Proposal, s.p.Batch)
		from.Batch(batch, actors.AckCommitted)
		return len(batch), s.propose(ctx, batch)
	})
	return side.Figures{"rate": rate}, err
}

// Close implements [side.Side].
func (s *wire) Close() error {
	s.http.CloseIdleConnections()
	return s.server.Stop()
}
