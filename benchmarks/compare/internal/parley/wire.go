package parley

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"connectrpc.com/connect"

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
	letters  map[*chat.Speaker]*letter
}

// wireBuffer is what the client's connections read and write at once: a batch in one piece.
const wireBuffer = 64 << 10

// OpenWire starts the engine's binary, Program, with retention on, and begins Known conversations there. Callers propose batches of Batch posts over
// loopback (Connect, protobuf, HTTP/1.1), each committed and fsynced, and wait for the answers before the next. The client is one that is in a hurry: it wants no answers
// compressed, and uses its messages again. Figures: rate, the posts a second.
func OpenWire(ctx context.Context, p side.Params) (_ side.Side, err error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: p.Callers, DisableCompression: true, WriteBufferSize: wireBuffer, ReadBufferSize: wireBuffer}
	s := &wire{p: p, http: &http.Client{Transport: transport}}
	s.client = parleyv1connect.NewConversationServiceClient(s.http, "http://"+address,
		connect.WithAcceptCompression("gzip", nil, nil))
	s.server, err = program.Start(ctx, func(ctx context.Context) error { return s.ready(ctx, address) },
		p.Program, "serve", "--listen", address, "--data", filepath.Join(p.Dir, "store"), "--expire-after", "30d", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	people := chat.NewPopulation(p.Known, max(1, p.Members))
	if err := s.begin(ctx, people); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.speakers, s.letters = chat.NewSpeakers(people, p.Hot, p.Callers), map[*chat.Speaker]*letter{}
	for _, speaker := range s.speakers {
		s.letters[speaker] = &letter{}
	}
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
	return inBatches(people.Len(), func(from, to int) error {
		batch := make([]*actors.Proposal, 0, to-from)
		for i := from; i < to; i++ {
			batch = append(batch, people.First(i))
		}
		return s.commit(ctx, &letter{}, batch)
	})
}

// letter is the messages that a caller uses again for each batch.
type letter struct {
	request parleyv1.ProposeBatchRequest
	posts   []*parleyv1.Post
}

// write makes the letter one that proposes a batch.
func (l *letter) write(batch []*actors.Proposal) *parleyv1.ProposeBatchRequest {
	for len(l.posts) < len(batch) {
		post := &parleyv1.Post{}
		l.posts = append(l.posts, post)
		l.request.Requests = append(l.request.GetRequests(), &parleyv1.ProposeRequest{
			Ack: parleyv1.Ack_ACK_COMMITTED, Change: &parleyv1.ProposeRequest_Post{Post: post},
		})
	}
	l.posts, l.request.Requests = l.posts[:len(batch)], l.request.GetRequests()[:len(batch)]
	for i, p := range batch {
		post, to := p.Change.(*conversation.Post), l.posts[i] //nolint:errcheck,forcetypeassert // the load has no other changes
		l.request.Requests[i].Conversation = p.Conversation
		to.Seq, to.Sender, to.Preview, to.Members = post.Seq, post.Sender, post.Preview, post.Members
	}
	return &l.request
}

// commit has a batch committed, all of it.
func (s *wire) commit(ctx context.Context, l *letter, batch []*actors.Proposal) error {
	for len(batch) > 0 {
		refused, err := s.propose(ctx, l, batch)
		if err != nil {
			return err
		}
		batch = refused
	}
	return nil
}

// propose has a batch committed but for those that are refused because the engine is overloaded, which it returns once it may be asked again.
func (s *wire) propose(ctx context.Context, l *letter, batch []*actors.Proposal) (refused []*actors.Proposal, err error) {
	response, err := s.client.ProposeBatch(ctx, l.write(batch))
	if err != nil {
		return nil, fmt.Errorf("over the wire: %w", err)
	}
	if n := len(response.GetResponses()); n != len(batch) {
		return nil, fmt.Errorf("over the wire: %d answers to %d posts", n, len(batch))
	}
	var wait time.Duration
	for i, reply := range response.GetResponses() {
		switch refusal := reply.GetError(); {
		case refusal.GetCode() == parleyv1.Code_CODE_OVERLOADED:
			refused, wait = append(refused, batch[i]), max(wait, refusal.GetRetryAfter().AsDuration())
		case refusal != nil:
			return nil, fmt.Errorf("over the wire: %v", refusal)
		case reply.GetAck() != parleyv1.Ack_ACK_COMMITTED || reply.GetConversation() != batch[i].Conversation:
			return nil, fmt.Errorf("over the wire: %v is no answer to a post to %s", reply, batch[i].Conversation)
		}
	}
	if wait > 0 {
		time.Sleep(wait) // as whoever is refused is asked to
	}
	return refused, nil
}

// Round implements [side.Side].
func (s *wire) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		batch := make([]*actors.Proposal, s.p.Batch)
		from.Batch(batch, actors.AckCommitted)
		refused, err := s.propose(ctx, s.letters[from], batch)
		return len(batch) - len(refused), err
	})
	return side.Figures{"rate": rate}, err
}

// Close implements [side.Side].
func (s *wire) Close() error {
	s.http.CloseIdleConnections()
	return s.server.Stop()
}
