package persistencetest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/google/btree"

	"github.com/parley-im/parley/persistence"
)

type snapshot struct {
	store  *Store
	rows   *btree.BTreeG[persistence.Row]
	number uint64
	closed atomic.Bool
}

// Snapshot implements [persistence.Store].
func (s *Store) Snapshot() (persistence.Snapshot, error) {
	f := s.faults.Load()
	if err := s.alive(); err != nil {
		return nil, err
	}
	if err := s.wait(context.Background(), f.latency(OpSnapshot)); err != nil {
		return nil, err
	}
	if f.Snapshot != nil {
		if err := f.Snapshot(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots.Add(1)
	return &snapshot{store: s, rows: s.published, number: s.number}, nil
}

// Close implements [persistence.Snapshot].
func (s *snapshot) Close() {
	if s.closed.CompareAndSwap(false, true) {
		s.store.snapshots.Add(-1)
	}
}

// Number implements [persistence.Snapshot].
func (s *snapshot) Number() uint64 { return s.number }

func (s *snapshot) usable(ctx context.Context) error {
	if s.closed.Load() {
		return persistence.ErrClosed
	}
	return errors.Join(s.store.alive(), ctx.Err())
}

// Get implements [persistence.Snapshot].
func (s *snapshot) Get(ctx context.Context, key []byte) ([]byte, error) {
	f := s.store.faults.Load()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if err := s.store.wait(ctx, f.latency(OpGet)); err != nil {
		return nil, err
	}
	if f.Get != nil {
		if err := f.Get(key); err != nil {
			return nil, err
		}
	}
	row, ok := s.rows.Get(persistence.Row{Key: key})
	if !ok {
		return nil, persistence.ErrNotFound
	}
	return bytes.Clone(row.Value), nil
}

// Scan implements [persistence.Snapshot].
func (s *snapshot) Scan(ctx context.Context, ranges ...persistence.Range) iter.Seq2[persistence.Row, error] {
	return func(yield func(persistence.Row, error) bool) {
		f := s.store.faults.Load()
		err := s.usable(ctx)
		if err == nil {
			err = s.store.wait(ctx, f.latency(OpScan))
		}
		yielded, stopped := 0, false
		var lent persistence.Row // the caller's until the next step
		var r persistence.Range
		step := func(row persistence.Row) bool {
			if err = s.usable(ctx); err == nil && f.Scan != nil {
				err = f.Scan(r, yielded)
			}
			if err != nil {
				return false
			}
			lent.Key, lent.Value = append(lent.Key[:0], row.Key...), append(lent.Value[:0], row.Value...)
			yielded++
			stopped = !yield(lent, nil)
			spoil(lent)
			return !stopped
		}
		for _, r = range ranges {
			switch {
			case err != nil || stopped:
			case r.End == nil:
				s.rows.AscendGreaterOrEqual(persistence.Row{Key: r.Start}, step)
			default:
				s.rows.AscendRange(persistence.Row{Key: r.Start}, persistence.Row{Key: r.End}, step)
			}
		}
		if err != nil && !stopped {
			yield(persistence.Row{}, err)
		}
	}
}

// spoil makes a row unusable for whoever kept it beyond its step.
func spoil(row persistence.Row) {
	for i := range row.Key {
		row.Key[i] = 0xff
	}
	for i := range row.Value {
		row.Value[i] = 0xff
	}
}
