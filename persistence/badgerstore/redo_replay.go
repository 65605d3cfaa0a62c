package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// mark says that everything in a log up to a position was committed. The zero salt is no log's: there is none, and the position is where the next one goes on.
type mark struct {
	salt     salt
	position persistence.Position
}

func (m *mark) encode() []byte {
	return binary.AppendUvarint(append([]byte{rowFormat}, m.salt[:]...), uint64(m.position))
}

// readMark returns the mark of a store; the zero mark where nothing was ever logged.
func readMark(db *badger.DB) (m mark, err error) {
	txn := db.NewTransaction(false)
	defer txn.Discard()
	value, err := readRow(txn, rowRedo)
	if errors.Is(err, persistence.ErrNotFound) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if len(value) <= saltBytes {
		return m, fmt.Errorf("%w (the store's row %q)", persistence.ErrValue, rowRedo)
	}
	copy(m.salt[:], value)
	position, length := binary.Uvarint(value[saltBytes:])
	if length != len(value)-saltBytes {
		return m, fmt.Errorf("%w (the store's row %q)", persistence.ErrValue, rowRedo)
	}
	m.position = persistence.Position(position)
	return m, nil
}

// What is carried out of a log at once, about: many transactions' worth, so that one is made while the one before is being written; and what is done again, at most, where that is cut short.
const (
	replayGroups = 200_000
	replayBytes  = 32 << 20
)

// replay carries out what whoever had the store before has logged and not committed, and removes that log. Where that is cut short, it is done again: it leaves the same.
func (s *Store) replay(abandon bool) error {
	m, err := readMark(s.db)
	if err != nil {
		return err
	}
	if m.salt != (salt{}) {
		if m, err = s.replayFrom(m, abandon); err != nil {
			return fmt.Errorf("the redo log: %w", err)
		}
	}
	s.redo.mark(m.position)
	return removeRedo(s.dir)
}

// replayFrom returns the mark that the store has then.
func (s *Store) replayFrom(m mark, abandon bool) (mark, error) {
	left, err := readRedo(s.dir, m.salt, m.position)
	if err != nil {
		return m, err
	}
	defer left.release()
	if left.damage != nil && !abandon {
		return m, left.damage
	}
	none := mark{position: left.last}
	if len(left.records) == 0 {
		return none, s.commitMark(none.salt, none.position)
	}
	batches, err := latest(left.records)
	if err != nil {
		return m, err
	}
	var batch persistence.Batch
	bytes := int64(0)
	for i, logged := range batches {
		batch.Clock = max(batch.Clock, logged.Clock)
		batch.Groups = append(batch.Groups, logged.Groups...)
		for k := range logged.Groups {
			size, _ := costOf(&logged.Groups[k])
			bytes += size.bytes
		}
		last := i == len(batches)-1
		if !last && bytes < replayBytes && len(batch.Groups) < replayGroups {
			continue
		}
		upTo := &mark{salt: m.salt, position: left.records[i].position}
		if last {
			upTo = &none
		}
		if err := s.replayBatch(batch, upTo); err != nil {
			return m, err
		}
		batch, bytes = persistence.Batch{}, 0
	}
	return none, nil
}

// latest returns the batches of some records without what later ones write over: under load, rows are logged again and again before they are committed. Where carrying them out is cut
// short, the mark may cover a write that was left out; the later one is still in the log. They share the records' bytes.
func latest(records []record) ([]persistence.Batch, error) {
	batches := make([]persistence.Batch, len(records))
	parts := make([][][]persistence.Group, runtime.GOMAXPROCS(0)) // of each processor, by record
	errs := make([]error, len(parts))
	var workers sync.WaitGroup
	for i := range parts {
		parts[i] = make([][]persistence.Group, len(records))
		workers.Go(func() {
			mine := func(shard persistence.Shard) bool { return int(shard)%len(parts) == i }
			errs[i] = latestOf(records, mine, func(at int, clock persistence.Instant, groups []persistence.Group) {
				parts[i][at] = groups
				if i == 0 {
					batches[at].Clock = clock
				}
			})
		})
	}
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for at := range batches {
		for i := range parts {
			batches[at].Groups = append(batches[at].Groups, parts[i][at]...)
		}
	}
	return batches, nil
}

// latestOf is latest for some of the shards: what is left of each record, from the last to the first.
func latestOf(records []record, wanted func(persistence.Shard) bool, give func(at int, clock persistence.Instant, groups []persistence.Group)) error {
	later := laterWrites{}
	var into scratch
	for at := range slices.Backward(records) {
		clock, err := records[at].decode(&into, wanted)
		if err != nil {
			return err
		}
		give(at, clock, later.strip(into.groups))
	}
	return nil
}

// laterWrites are the keys of the certain writes that come later than what is looked at: those without a condition, which are carried out if the epoch is still the shard's.
type laterWrites map[ownership]map[string]struct{}

type ownership struct {
	shard persistence.Shard
	epoch persistence.Epoch
}

// strip returns what is left of a batch's groups without what is written over later, under the same epoch, and notes that. It is given batches from the last to the first, and keeps nothing of
// their slices.
func (l laterWrites) strip(groups []persistence.Group) (left []persistence.Group) {
	for i := range slices.Backward(groups) {
		g := &groups[i]
		later := l[ownership{g.Shard, g.Epoch}]
		if later == nil {
			later = map[string]struct{}{}
			l[ownership{g.Shard, g.Epoch}] = later
		}
		g.Deletes = stripped(later, g.Deletes, func(d *persistence.Delete) (key []byte, certain bool) { return d.Key, true })
		g.Puts = stripped(later, g.Puts, func(p *persistence.Put) (key []byte, certain bool) { return p.Key, !p.IfPresent })
	}
	for i := range groups {
		if g := groups[i]; len(g.Puts)+len(g.Deletes) > 0 {
			g.Puts, g.Deletes = slices.Clone(g.Puts), slices.Clone(g.Deletes)
			left = append(left, g)
		}
	}
	return left
}

// stripped does so for the puts, or the deletes, of a group.
func stripped[W any](later map[string]struct{}, writes []W, of func(*W) (key []byte, certain bool)) []W {
	first := len(writes)
	for i := range slices.Backward(writes) {
		key, certain := of(&writes[i])
		if _, over := later[string(key)]; over {
			continue
		}
		if certain {
			later[string(key)] = struct{}{}
		}
		first--
		writes[first] = writes[i]
	}
	return writes[first:]
}

func (s *Store) replayBatch(batch persistence.Batch, upTo *mark) error {
	r := &request{batch: &batch, mark: upTo, done: make(chan struct{})}
	if err := s.hand(r); err != nil {
		return err
	}
	for i := range r.results {
		// A write that failed may be found here though its shard had another owner after that: nobody was told that it is there.
		if err := r.results[i].Err; err != nil && !errors.Is(err, persistence.ErrFenced) {
			return err
		}
	}
	return nil
}

// commitMark writes down what there is of a log.
func (s *Store) commitMark(of salt, position persistence.Position) error {
	return s.hand(&request{batch: &persistence.Batch{}, mark: &mark{of, position}, done: make(chan struct{})})
}
