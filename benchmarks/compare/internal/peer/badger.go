package peer

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/reaping"
	"github.com/parley-im/parley/persistence"
)

// raw is Badger alone, with the options that the engine's store has, every transaction fsynced.
type raw struct {
	p      side.Params
	db     *badger.DB
	groups [][]persistence.Row // by conversation
	flat   []persistence.Row
}

func openRaw(ctx context.Context, p side.Params) (*raw, error) {
	inner := p
	inner.Dir, inner.Active = filepath.Join(p.Dir, "engine"), 0
	groups, err := parley.Rows(ctx, inner)
	if err != nil {
		return nil, err
	}
	s := &raw{p: p, groups: groups}
	for _, rows := range groups {
		s.flat = append(s.flat, rows...)
	}
	if s.db, err = badger.Open(reaping.RawOptions(filepath.Join(p.Dir, "raw"))); err != nil {
		return nil, fmt.Errorf("badger: %w", err)
	}
	return s, s.write()
}

// batchRows is how many rows a batch has: the engine's default.
const batchRows = 4096

// write writes all rows, in batches, each of which is on disk before the next begins.
func (s *raw) write() error {
	for rows := s.flat; len(rows) > 0; {
		n := min(batchRows, len(rows))
		batch := s.db.NewWriteBatch()
		for _, row := range rows[:n] {
			if err := batch.Set(row.Key, row.Value); err != nil {
				batch.Cancel()
				return fmt.Errorf("badger: %w", err)
			}
		}
		if err := batch.Flush(); err != nil {
			return fmt.Errorf("badger: %w", err)
		}
		rows = rows[n:]
	}
	return nil
}

// Close implements [side.Side].
func (s *raw) Close() error { return s.db.Close() }

// rawBatches writes rows in batches.
type rawBatches struct{ *raw }

// OpenRawBatches returns a side that writes the rows which an engine writes for one post to each of the Known conversations, to Badger alone, in synced
// batches of as many rows as the engine's. Figures: rate, the conversations a second; rows of each.
func OpenRawBatches(ctx context.Context, p side.Params) (side.Side, error) {
	s, err := openRaw(ctx, p)
	if err != nil {
		return nil, err
	}
	return &rawBatches{s}, nil
}

// Round implements [side.Side].
func (s *rawBatches) Round(context.Context) (side.Figures, error) {
	began := time.Now()
	err := s.write()
	return side.Figures{
		"rate": float64(len(s.groups)) / time.Since(began).Seconds(),
		"rows": float64(len(s.flat)) / float64(len(s.groups)),
	}, err
}

// rawTransactions writes the rows of each post in a transaction of their own.
type rawTransactions struct{ *raw }

// OpenRawTransactions returns a side in which each of Callers writes the rows of one post to one of the Known conversations in a synced transaction of
// Badger's, waits for it, and goes on with the next. Figures: rate, the transactions a second.
func OpenRawTransactions(ctx context.Context, p side.Params) (side.Side, error) {
	s, err := openRaw(ctx, p)
	if err != nil {
		return nil, err
	}
	return &rawTransactions{s}, nil
}

// Round implements [side.Side].
func (s *rawTransactions) Round(context.Context) (side.Figures, error) {
	speakers := chat.NewSpeakers(chat.NewPopulation(len(s.groups), 1), 0, s.p.Callers)
	rate, err := chat.Call(speakers, s.p.Window, func(from *chat.Speaker) (int, error) {
		_, i := from.Next(0)
		return 1, s.db.Update(func(txn *badger.Txn) error {
			for _, row := range s.groups[i] {
				if err := txn.Set(row.Key, row.Value); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return side.Figures{"rate": rate}, err
}

// rawDeletes deletes rows in batches.
type rawDeletes struct {
	p    side.Params
	rows []persistence.Row
	n    int // of the round
}

// OpenRawDeletes returns a side that writes the rows which a reaper deletes of Expire conversations of so many Members to Badger alone, and deletes them
// in batches of as many rows as the reaper's. Figures: rate, the conversations deleted a second; rows of each.
func OpenRawDeletes(ctx context.Context, p side.Params) (side.Side, error) {
	_, rows, err := reaping.Reap(ctx, filepath.Join(p.Dir, "engine"), p.Expire, p.Members)
	if err != nil {
		return nil, err
	}
	return &rawDeletes{p: p, rows: rows}, nil
}

// Round implements [side.Side].
func (s *rawDeletes) Round(context.Context) (side.Figures, error) {
	s.n++
	took, err := reaping.DeleteRaw(filepath.Join(s.p.Dir, fmt.Sprint("raw-", s.n)), s.rows)
	return side.Figures{
		"rate": float64(s.p.Expire) / took.Seconds(),
		"rows": float64(len(s.rows)) / float64(s.p.Expire),
	}, err
}

// Close implements [side.Side].
func (*rawDeletes) Close() error { return nil }
