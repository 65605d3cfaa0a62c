package isolation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	hotNamespace    = "hot"
	doomedNamespace = "doomed"
)

// born is when all conversations begin. The deadline of the doomed is one retention later.
func born() time.Time { return time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) }

// population is who lives in a store.
type population struct {
	hot    []string                     // in the order in which they are spoken in
	doomed [persistence.Shards][]string // by shard
	shards map[string]persistence.Shard // of the hot
}

// newPopulation names the conversations: the same ones for the same configuration.
func newPopulation(c Config) *population {
	p := &population{shards: make(map[string]persistence.Shard)}
	var perShard [persistence.Shards]int
	for i := 0; len(p.hot) < c.HotPerShard*persistence.Shards; i++ {
		name := hotNamespace + ":" + strconv.Itoa(i)
		if shard := persistence.ShardOf(name); perShard[shard] < c.HotPerShard {
			perShard[shard]++
			p.hot = append(p.hot, name)
			p.shards[name] = shard
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(p.hot), func(i, j int) { p.hot[i], p.hot[j] = p.hot[j], p.hot[i] })
	for i := range c.Doomed {
		name := doomedNamespace + ":" + strconv.Itoa(i)
		shard := persistence.ShardOf(name)
		p.doomed[shard] = append(p.doomed[shard], name)
	}
	return p
}

// fill creates a store in dir and the conversations in it, by an engine. Nothing is fsynced: if the machine stops now, so does the measurement.
func (p *population) fill(ctx context.Context, dir string, c Config) (err error) {
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	engine, err := actors.Start(ctx, nil, store, c.engine(Paced, clock.NewVirtual(born()), nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()

	members := make([]string, c.Members)
	for i := range members {
		members[i] = "user-" + strconv.Itoa(i)
	}
	var batch []*actors.Proposal
	begin := func(name string) error {
		batch = append(batch, &actors.Proposal{
			Conversation: name,
			Change:       &conversation.Post{Seq: 1, Sender: members[0], Preview: preview(), Members: members},
			Ack:          actors.AckApplied,
		})
		if len(batch) < 256 {
			return nil
		}
		return flush(ctx, engine, &batch)
	}
	for _, name := range p.hot {
		if err := begin(name); err != nil {
			return err
		}
	}
	for _, names := range p.doomed {
		for _, name := range names {
			if err := begin(name); err != nil {
				return err
			}
		}
	}
	return flush(ctx, engine, &batch)
}

// flush proposes a batch, again and again while the engine is overloaded, and empties it.
func flush(ctx context.Context, engine *actors.Engine, batch *[]*actors.Proposal) error {
	for len(*batch) > 0 {
		replies, err := engine.ProposeBatch(ctx, *batch)
		if err != nil {
			return err
		}
		var again []*actors.Proposal
		for i, reply := range replies {
			if errors.Is(reply.Err, conversation.ErrOverloaded) {
				again = append(again, (*batch)[i])
			} else if reply.Err != nil {
				return fmt.Errorf("isolation: filling the store: %w", reply.Err)
			}
		}
		*batch = again
		if len(again) > 0 {
			time.Sleep(time.Millisecond) // the engine was full: it drains while nothing is sent; the benchmark has not begun
		}
	}
	return nil
}

// preview returns what chat clients show of a message in a list, of an ordinary length.
func preview() []byte { return []byte("Shall we meet at the station at seven?") }
