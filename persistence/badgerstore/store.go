package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// Store is a [persistence.Store] in a directory. Its methods may be called from any goroutine.
type Store struct {
	db        *badger.DB
	dir       string
	meta      persistence.Meta // but for Clock
	clock     atomic.Int64
	committer *committer
	redo      *redo
	reads     *gate
	snapshots *snapshots
	close     sync.Once
	closed    error // what closing came to

	maintainer *maintainer
}

var _ persistence.Store = (*Store)(nil)

// Open opens the store in dir, and makes the directory and the store where there is none. It fails with [ErrInUse] where the directory is open
// already, in this process or another; with [ErrForeign] where it holds something else; with [ErrShards] or persistence.ErrNewerFormat where this
// program cannot use the store; with [ErrLogDamaged] where what was acknowledged last cannot be read. It blocks while what a crash left is replayed, of Badger's logs and of the redo log: a
// tenth of a second or so, and some seconds where much was logged last.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := prepare(dir); err != nil {
		return nil, fmt.Errorf("badgerstore: open %s: %w", dir, err)
	}
	flattener := &flattener{log: o.Log}
	db, err := badger.Open(o.badger(dir, flattener))
	if err != nil {
		return nil, fmt.Errorf("badgerstore: open %s: %w", dir, openError(err))
	}
	meta, err := identify(db)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: open %s: %w", dir, errors.Join(err, db.Close()))
	}
	s := &Store{db: db, dir: dir, meta: meta, reads: newGate(), redo: newRedo(dir, o)}
	s.clock.Store(int64(meta.Clock))
	s.snapshots = newSnapshots(s.reads, newRowCache(o.RowCacheBytes))
	s.snapshots.publish(db, nil, false)
	s.committer = &committer{
		recent:    newRecent(),
		redo:      s.redo,
		db:        db,
		space:     newSpace(dir, o),
		ledger:    newLedger(),
		snapshots: s.snapshots,
		advanced:  s.advance,
		tally:     &tally{},
		write:     (*badger.Txn).Commit,
		requests:  make(chan *request),
		closing:   make(chan struct{}),
		done:      make(chan struct{}),
		landed:    make(chan error, 1),
	}
	go s.committer.run()
	if err := s.replay(o.AbandonLog); err != nil {
		return nil, fmt.Errorf("badgerstore: open %s: %w", dir, errors.Join(err, s.end()))
	}
	s.maintainer = &maintainer{
		db: db, dir: dir, flattener: flattener, tally: s.committer.tally,
		reads: s.reads, horizon: s.snapshots.horizon, do: s.do, space: s.stepSpace(o),
		every: o.MaintainEvery, share: o.MaintainShare, worth: worthBytes, told: o.Maintained,
	}
	s.maintainer.start()
	return s, nil
}

// advance takes in a clock that is durable.
func (s *Store) advance(clock persistence.Instant) {
	for {
		known := s.clock.Load()
		if int64(clock) <= known || s.clock.CompareAndSwap(known, int64(clock)) {
			return
		}
	}
}

// stepSpace returns what says whether there is room for a step of maintenance, which deletes what it replaces only once that is written. The largest takes all of
// level 0, and what it overlaps of the level below.
func (s *Store) stepSpace(o Options) func() error {
	space := newSpace(s.dir, Options{ReserveBytes: stepReserve, FreeSpace: o.FreeSpace})
	return func() error {
		levels := s.db.Levels()
		bytes := levels[0].Size
		for _, l := range levels[1:] {
			if bytes > 0 && l.IsBaseLevel {
				bytes += l.Size
			}
		}
		space.turn(0)
		return space.take(bytes)
	}
}

// Close closes the store and releases the directory. It ends the run of maintenance under way after its step, which may take a second. It waits for the writes under way, which are answered as ever, and for the reads under way: a
// Get for its answer, a Scan for its next step, which fails with ErrClosed. It must therefore not be called from the body of a Scan. Commits and
// acquisitions that still wait for their turn fail with ErrClosed and have written nothing. Snapshots may be left open: they answer ErrClosed from now on, and
// closing them does nothing. Calling Close again waits for the first call and returns what it did.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.maintainer.end()
		if err := s.end(); err != nil {
			s.closed = fmt.Errorf("badgerstore: close %s: %w", s.dir, err)
		}
	})
	return s.closed
}

// end closes everything but the maintainer.
func (s *Store) end() error {
	s.redo.shut()
	close(s.committer.closing)
	<-s.committer.done
	err := s.redo.end(func(of salt, position persistence.Position) error {
		m := mark{of, position}
		return s.db.Update(func(txn *badger.Txn) error { return txn.Set(persistence.StoreKey(rowRedo), m.encode()) })
	})
	s.reads.close()
	s.snapshots.close()
	return errors.Join(err, s.db.Close())
}

// Meta implements [persistence.Store]. It may be called after Close.
func (s *Store) Meta() persistence.Meta {
	meta := s.meta
	meta.Clock = persistence.Instant(s.clock.Load())
	return meta
}

// Acquire implements [persistence.Store]. Besides its errors, it returns ErrStoreFull, and ErrClosed.
func (s *Store) Acquire(ctx context.Context, shards ...persistence.Shard) ([]persistence.Epoch, error) {
	for _, shard := range shards {
		if int(shard) >= s.meta.Shards {
			return nil, fmt.Errorf("badgerstore: acquire: there is no shard %d, only %d of them", shard, s.meta.Shards)
		}
	}
	r := &request{shards: shards, done: make(chan struct{})}
	if err := s.do(ctx, r); err != nil {
		return nil, err
	}
	return r.epochs, nil
}

// Commit implements [persistence.Store]. Besides its errors, it returns ErrClosed. A group may also fail because a guarded delete met a row whose
// value carries no generation; its Result then wraps persistence.ErrValue or ErrNewerFormat, and nothing of it was written.
//
// Groups are packed, in order, into as few transactions as they fit. Several callers' batches share transactions too.
func (s *Store) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	if err := check(batch); err != nil {
		return nil, fmt.Errorf("badgerstore: commit: %w", err)
	}
	return s.commit(ctx, batch, s.redo.covers(batch.Logged))
}

func (s *Store) commit(ctx context.Context, batch persistence.Batch, sets *mark) ([]persistence.Result, error) {
	r := &request{batch: &batch, mark: sets, foresight: s.foresee(ctx, &batch), done: make(chan struct{})}
	if err := s.do(ctx, r); err != nil {
		return nil, err
	}
	return r.results, nil
}

// do hands a request to the committer and waits until it was carried out.
func (s *Store) do(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.committer.requests <- r:
		<-r.done // always comes: what the committer took, it answers
		return r.err
	case <-s.committer.closing:
		return persistence.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hand is do for what is not to be called off.
func (s *Store) hand(r *request) error {
	select {
	case s.committer.requests <- r:
		<-r.done
		return r.err
	case <-s.committer.closing:
		return persistence.ErrClosed
	}
}

// Snapshot implements [persistence.Store].
func (s *Store) Snapshot() (persistence.Snapshot, error) {
	h, err := s.snapshots.open()
	if err != nil {
		return nil, err
	}
	return h, nil
}
