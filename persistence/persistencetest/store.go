package persistencetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/btree"

	"github.com/parley-im/parley/persistence"
)

// ErrCrashed is what the operations of a [Store] return after its Crash.
var ErrCrashed = errors.New("persistencetest: the store crashed")

// What a [Store] takes as one group.
const (
	MaxGroupRows  = 20_000
	MaxGroupBytes = 2 << 20
)

// Store is a [persistence.Store] in memory. It starts no goroutine and works in a synctest bubble. It is as strict as a store may be: the slices that a scan
// yields are overwritten at the next step, and rows that belong to the store itself cannot be written. It looks at each row that somebody says they have seen, and panics where they cannot have.
type Store struct {
	incarnation string
	faults      atomic.Pointer[Faults]
	turn        chan struct{} // holds a token while a write is under way
	logTurn     chan struct{} // holds one while a Log is
	gone        chan struct{} // closed by Crash
	closing     chan struct{} // closed by Close
	snapshots   atomic.Int64

	mu        sync.Mutex
	clock     persistence.Instant
	rows      *btree.BTreeG[persistence.Row] // what is committed
	published *btree.BTreeG[persistence.Row] // what new snapshots show; never changed
	logged    []logged                       // and not covered
	position  persistence.Position           // the last that was handed out
	number    uint64                         // of those
	written   map[string]uint64              // by key, the number of the first snapshot that has what was written last
}

var _ persistence.Store = (*Store)(nil)

// NewStore returns an empty store without faults.
func NewStore() *Store {
	rows := btree.NewG(32, func(a, b persistence.Row) bool { return bytes.Compare(a.Key, b.Key) < 0 })
	return newStore(rand.Text(), 0, rows)
}

func newStore(incarnation string, clock persistence.Instant, rows *btree.BTreeG[persistence.Row]) *Store {
	s := &Store{
		incarnation: incarnation,
		turn:        make(chan struct{}, 1),
		logTurn:     make(chan struct{}, 1),
		gone:        make(chan struct{}),
		closing:     make(chan struct{}),
		clock:       clock,
		rows:        rows,
		published:   rows.Clone(),
		number:      1,
		written:     make(map[string]uint64),
	}
	s.faults.Store(&Faults{})
	return s
}

// SetFaults replaces the faults. Operations under way keep those that they began with.
func (s *Store) SetFaults(f Faults) { s.faults.Store(&f) }

// OpenSnapshots returns how many snapshots were opened and not closed.
func (s *Store) OpenSnapshots() int { return int(s.snapshots.Load()) }

// Crash ends the store as a power cut would and returns what is found after the restart: a store, without faults, that holds what was committed or logged and
// nothing else. A commit under way fails, and of its groups those are kept that were written. All operations on the old store fail with ErrCrashed from
// now on. A store that was closed can be opened again in the same way.
func (s *Store) Crash() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.gone:
	default:
		close(s.gone)
	}
	return s.again()
}

// Copy returns what is found where a backup that is taken now is put back: a store, without faults, that holds what is committed or logged. This one goes on.
func (s *Store) Copy() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again()
}

// again returns the store that is found when this one is opened again. s.mu is held.
func (s *Store) again() *Store {
	next := newStore(s.incarnation, s.clock, s.rows.Clone())
	next.position, next.logged = s.position, slices.Clone(s.logged)
	next.bringIn()
	return next
}

// Close waits for the write under way. Writes that still wait for their turn fail with ErrClosed, and so does every later operation, also on
// snapshots that are still open. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	s.mu.Unlock()
	for _, turn := range []chan struct{}{s.turn, s.logTurn} {
		select {
		case turn <- struct{}{}:
			<-turn
		case <-s.gone:
		}
	}
	return nil
}

// alive reports why the store cannot be used, if so.
func (s *Store) alive() error {
	select {
	case <-s.gone:
		return ErrCrashed
	default:
	}
	select {
	case <-s.closing:
		return persistence.ErrClosed
	default:
		return nil
	}
}

// Meta implements [persistence.Store].
func (s *Store) Meta() persistence.Meta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return persistence.Meta{Incarnation: s.incarnation, Shards: persistence.Shards, Clock: s.clock}
}

// begin waits for the turn of a write, and then for as long as it takes.
func (s *Store) begin(ctx context.Context, f *Faults, op Op) error {
	if err := errors.Join(s.alive(), ctx.Err()); err != nil {
		return err
	}
	turn := s.turnOf(op)
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return ErrCrashed
	case <-s.closing:
		return persistence.ErrClosed
	}
	if err := s.wait(context.WithoutCancel(ctx), f.latency(op)); err != nil {
		<-turn
		return err
	}
	return nil
}

func (s *Store) end() { <-s.turn }

func (s *Store) turnOf(op Op) chan struct{} {
	if op == OpLog {
		return s.logTurn
	}
	return s.turn
}

// Acquire implements [persistence.Store].
func (s *Store) Acquire(ctx context.Context, shards ...persistence.Shard) ([]persistence.Epoch, error) {
	for _, shard := range shards {
		if shard >= persistence.Shards {
			return nil, fmt.Errorf("persistencetest: acquire: there is no shard %d", shard)
		}
	}
	f := s.faults.Load()
	if err := s.begin(ctx, f, OpAcquire); err != nil {
		return nil, err
	}
	defer s.end()
	if f.Acquire != nil {
		if err := f.Acquire(shards); err != nil {
			return nil, err
		}
	}
	epochs := make([]persistence.Epoch, 0, len(shards))
	err := s.change(func() error {
		s.bringIn()
		for _, shard := range shards {
			owner := s.owner(shard)
			owner.Epoch++
			owner.NextEvent = max(owner.NextEvent, 1)
			s.put(persistence.OwnerKey(shard), owner.Encode())
			epochs = append(epochs, owner.Epoch)
		}
		s.publish()
		return nil
	})
	return epochs, err
}

// publish has new snapshots show what is committed, under the lock.
func (s *Store) publish() {
	s.published = s.rows.Clone()
	s.number++
}

// change runs f under the lock, unless the store is gone: what happens after a crash must not be found after it.
func (s *Store) change(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.gone:
		return ErrCrashed
	default:
		return f()
	}
}
