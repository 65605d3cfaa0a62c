package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// snapshots holds the published read-only transaction, and those before it that still have readers.
type snapshots struct {
	reads   *gate
	cache   *rowCache // nil: none
	current atomic.Pointer[published]

	mu   sync.Mutex
	live map[*published]struct{} // not discarded
}

// published is a read-only transaction shared by all readers that came while it was the latest. Badger documents a transaction as not
// safe for concurrent use; a read-only one is, because it tracks neither reads nor writes: all that Get and NewIterator change is an atomic counter.
type published struct {
	txn    *badger.Txn
	number uint64 // later ones have higher numbers
	refs   refs
}

func newSnapshots(reads *gate, cache *rowCache) *snapshots {
	return &snapshots{reads: reads, cache: cache, live: make(map[*published]struct{})}
}

// publish opens a transaction and makes it the latest. It is told what was written since the one before, or, where that is doubtful, may have been. Only the committer calls it, when no commit is under way:
// otherwise it would wait for that.
func (s *snapshots) publish(db *badger.DB, written []row, doubtful bool) {
	p := &published{txn: db.NewTransaction(false), number: 1}
	if before := s.current.Load(); before != nil {
		p.number = before.number + 1
	}
	s.cache.supersede(p.number, written, doubtful)
	p.refs.begin()
	s.mu.Lock()
	s.live[p] = struct{}{}
	s.mu.Unlock()
	if before := s.current.Swap(p); before != nil {
		s.release(before)
	}
}

func (s *snapshots) release(p *published) {
	if p.refs.release() {
		s.discard(p)
	}
}

// discard gives p's transaction back, once. Doing so after Badger was closed would wait for a goroutine that is gone.
func (s *snapshots) discard(p *published) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.live[p]; ok {
		delete(s.live, p)
		p.txn.Discard()
	}
}

// horizon returns what the oldest transaction sees, as Badger numbers its versions. Compactions keep what is newer.
func (s *snapshots) horizon() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	least := uint64(math.MaxUint64)
	for p := range s.live {
		least = min(least, p.txn.ReadTs())
	}
	return least
}

// close gives all transactions back, whoever may still hold them. The gate must be closed.
func (s *snapshots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.live {
		p.txn.Discard()
	}
	clear(s.live)
}

// open returns a reader's own handle on the latest snapshot.
func (s *snapshots) open() (*snapshot, error) {
	for !s.reads.closed() {
		// Between Load and acquire a newer one may have been published and this one given back; then the newer one is there to be had.
		if p := s.current.Load(); p.refs.acquire() {
			h := &snapshot{all: s, published: p}
			h.refs.begin()
			return h, nil
		}
	}
	return nil, persistence.ErrClosed
}

// snapshot is one reader's handle. Its users are the reader, until Close, and each read under way: a read that races with Close is
// carried out or refused, but never finds its transaction gone.
type snapshot struct {
	all       *snapshots
	published *published
	refs      refs
	closed    atomic.Bool
}

// Close implements [persistence.Snapshot].
func (s *snapshot) Close() {
	if s.closed.CompareAndSwap(false, true) {
		s.release()
	}
}

// Number implements [persistence.Snapshot].
func (s *snapshot) Number() uint64 { return s.published.number }

func (s *snapshot) release() {
	if s.refs.release() {
		s.all.release(s.published)
	}
}

// begin lets a read begin, which must then end.
func (s *snapshot) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() || !s.refs.acquire() {
		return fmt.Errorf("snapshot: %w", persistence.ErrClosed)
	}
	if !s.all.reads.enter() {
		s.release()
		return persistence.ErrClosed
	}
	return nil
}

func (s *snapshot) end() {
	s.all.reads.leave()
	s.release()
}

// Get implements [persistence.Snapshot].
func (s *snapshot) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.end()
	cache := s.all.cache
	keeps := cache.keeps(key)
	if keeps {
		if value, ok := cache.get(key, s.published.number); ok {
			return value, nil
		}
	}
	item, err := s.published.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, persistence.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("badgerstore: get %q: %w", key, err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: get %q: %w", key, err)
	}
	if keeps {
		cache.put(key, value, s.published.number)
	}
	return value, nil
}
