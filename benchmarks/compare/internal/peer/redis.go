package peer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/program"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// SyncAlways has Redis fsync what it was told before it answers, instead of once a second.
const SyncAlways = "always"

// hashes is a Redis server with a hash for each conversation, and a client.
type hashes struct {
	p        side.Params
	server   *program.Program
	client   *redis.Client
	speakers []*chat.Speaker
}

// OpenHashes starts the redis-server at Program, with an append-only file that is fsynced every second (Variant "": or [SyncAlways]), and writes the Known
// conversations there. Callers send pipelines of Batch updates over loopback, an HSET of what was said last and an EXPIRE each, and wait for the answers
// before the next. Figures: rate, the updates a second; heap, the bytes that Redis has for each conversation.
func OpenHashes(ctx context.Context, p side.Params) (side.Side, error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	fsync := "everysec"
	if p.Variant == SyncAlways {
		fsync = p.Variant
	}
	s := &hashes{p: p, client: redis.NewClient(&redis.Options{Addr: address, PoolSize: max(4, p.Callers)})}
	ready := func(ctx context.Context) error { return s.client.Ping(ctx).Err() }
	s.server, err = program.Start(ctx, ready, p.Program,
		"--bind", "127.0.0.1", "--port", port, "--dir", p.Dir, "--save", "", "--appendonly", "yes", "--appendfsync", fsync)
	if err != nil {
		return nil, errors.Join(err, s.client.Close())
	}
	people := chat.NewPopulation(p.Known, max(1, p.Members))
	if err := s.begin(ctx, people); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.speakers = chat.NewSpeakers(people, p.Hot, p.Callers)
	return s, nil
}

// begin writes all conversations, from several connections.
func (s *hashes) begin(ctx context.Context, people *chat.Population) error {
	const writers, each = 4, 1000
	var group sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		group.Go(func() {
			for from := w * each; from < people.Len() && errs[w] == nil; from += writers * each {
				var batch []*actors.Proposal
				for i := from; i < min(people.Len(), from+each); i++ {
					batch = append(batch, people.Post(i, 1, actors.AckCommitted))
				}
				errs[w] = s.update(ctx, batch)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// update writes a batch of posts in one pipeline.
func (s *hashes) update(ctx context.Context, batch []*actors.Proposal) error {
	_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		now := time.Now().UnixNano()
		for _, p := range batch {
			post := p.Change.(*conversation.Post) //nolint:errcheck,forcetypeassert // the load has no other changes
			pipe.HSet(ctx, p.Conversation, "seq", post.Seq, "sender", post.Sender, "preview", post.Preview, "activity", now)
			pipe.Expire(ctx, p.Conversation, retention)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// Round implements [side.Side].
func (s *hashes) Round(ctx context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		batch := make([]*actors.Proposal, s.p.Batch)
		from.Batch(batch, actors.AckCommitted)
		return len(batch), s.update(ctx, batch)
	})
	if err != nil {
		return nil, err
	}
	used, err := s.used(ctx)
	return side.Figures{"rate": rate, "heap": used / float64(s.p.Known)}, err
}

// used returns how many bytes the server has allocated for its data.
func (s *hashes) used(ctx context.Context) (float64, error) {
	info, err := s.client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("redis: %w", err)
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory_dataset:"); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, nil
}

// Close implements [side.Side].
func (s *hashes) Close() error { return errors.Join(s.client.Close(), s.server.Stop()) }
