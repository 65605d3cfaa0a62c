package badgerstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

var errNotForLog = errors.New("only puts, and deletes without a guard, can be logged")

// Log implements [persistence.Store]. Besides its errors, it returns ErrClosed. The first call of all begins the log, which takes a few milliseconds.
func (s *Store) Log(ctx context.Context, batch persistence.Batch) (persistence.Position, error) {
	position, err := s.log(ctx, &batch)
	if err != nil {
		return position, fmt.Errorf("badgerstore: log: %w", err)
	}
	return position, nil
}

func (s *Store) log(ctx context.Context, batch *persistence.Batch) (persistence.Position, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := check(*batch); err != nil {
		return 0, err
	}
	total := fixed
	for i := range batch.Groups {
		g := &batch.Groups[i]
		if !loggable(g) {
			return 0, fmt.Errorf("group %d: %w", i, errNotForLog)
		}
		c, possible := costOf(g)
		if !possible || !fixed.plus(c).fits(s.db) {
			return 0, fmt.Errorf("%w: %d rows, %d bytes", persistence.ErrGroupTooLarge, c.entries, c.bytes)
		}
		total = total.plus(c)
	}
	if err := s.redo.begin(s.commitMark); err != nil {
		return 0, err
	}
	for {
		position, ask, fences, err := s.redo.append(batch, total.bytes)
		if err != nil {
			return position, err
		}
		if len(ask) == 0 {
			s.advance(batch.Clock)
			return position, nil
		}
		epochs, err := s.confirm(ctx, ask)
		if err != nil {
			return 0, err
		}
		s.redo.learn(epochs, fences)
	}
}

func loggable(g *persistence.Group) bool {
	if g.Requires != nil || len(g.Events) > 0 {
		return false
	}
	for i := range g.Deletes {
		if d := &g.Deletes[i]; d.UpTo != 0 || d.Replace != nil {
			return false
		}
	}
	return true
}

// confirm has the committer check the epochs of groups, and returns them where they are those of their shards.
func (s *Store) confirm(ctx context.Context, groups []*persistence.Group) (map[persistence.Shard]persistence.Epoch, error) {
	epochs := make(map[persistence.Shard]persistence.Epoch, len(groups))
	var batch persistence.Batch
	for _, g := range groups {
		batch.Groups = append(batch.Groups, persistence.Group{Shard: g.Shard, Epoch: g.Epoch})
		epochs[g.Shard] = g.Epoch
	}
	results, err := s.commit(ctx, batch, nil)
	if err != nil {
		return nil, err
	}
	for i := range results {
		if err := results[i].Err; err != nil {
			return nil, err
		}
	}
	return epochs, nil
}

// covers returns the mark that a commit sets which covers what was logged up to a position; nil: it need set none.
func (r *redo) covers(position persistence.Position) *mark {
	if position == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.salt == (salt{}) || uint64(position) <= r.marked.Load() {
		return nil
	}
	return &mark{salt: r.salt, position: min(position, r.next-1)}
}
