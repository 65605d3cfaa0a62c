package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/reaping"
)

// ttl is Badger with a row for each conversation, which expires by itself.
type ttl struct {
	p        side.Params
	db       *badger.DB
	speakers []*chat.Speaker
}

// OpenTTL returns a side that keeps the Known conversations in Badger with native TTL: a row of what was said last. Callers write batches of Batch
// updates, each fsynced before the next. Nothing is read before it is written, so that a late repeat takes the row back. Figures: rate, the updates a
// second.
func OpenTTL(_ context.Context, p side.Params) (side.Side, error) {
	db, err := badger.Open(reaping.RawOptions(filepath.Join(p.Dir, "ttl")))
	if err != nil {
		return nil, fmt.Errorf("badger: %w", err)
	}
	people := chat.NewPopulation(p.Known, max(1, p.Members))
	s := &ttl{p: p, db: db, speakers: chat.NewSpeakers(people, p.Hot, p.Callers)}
	for from := 0; from < p.Known; from += actors.MaxBatch {
		var batch []*actors.Proposal
		for i := from; i < min(p.Known, from+actors.MaxBatch); i++ {
			batch = append(batch, people.Post(i, 1, actors.AckCommitted))
		}
		if err := s.update(batch); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *ttl) update(batch []*actors.Proposal) error {
	writes := s.db.NewWriteBatch()
	for _, p := range batch {
		post := p.Change.(*conversation.Post) //nolint:errcheck,forcetypeassert // the load has no other changes
		value := binary.AppendUvarint(nil, post.Seq)
		value = binary.AppendUvarint(value, uint64(len(post.Sender)))
		value = append(append(value, post.Sender...), post.Preview...)
		if err := writes.SetEntry(badger.NewEntry([]byte(p.Conversation), value).WithTTL(retention)); err != nil {
			writes.Cancel()
			return fmt.Errorf("badger: %w", err)
		}
	}
	if err := writes.Flush(); err != nil {
		return fmt.Errorf("badger: %w", err)
	}
	return nil
}

// Round implements [side.Side].
func (s *ttl) Round(context.Context) (side.Figures, error) {
	rate, err := chat.Call(s.speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		batch := make([]*actors.Proposal, s.p.Batch)
		from.Batch(batch, actors.AckCommitted)
		return len(batch), s.update(batch)
	})
	return side.Figures{"rate": rate}, err
}

// Close implements [side.Side].
func (s *ttl) Close() error { return s.db.Close() }
