package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"

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

// What is carried out of a log at once, about.
const (
	replayGroups = 20_000
	replayBytes  = 4 << 20
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
	if left.damage != nil && !abandon {
		return m, left.damage
	}
	none := mark{position: left.last}
	if len(left.records) == 0 {
		return none, s.commitMark(none.salt, none.position)
	}
	var batch persistence.Batch
	bytes := 0
	for i := range left.records {
		r := &left.records[i]
		logged, err := r.batch()
		if err != nil {
			return m, err
		}
		batch.Clock = max(batch.Clock, logged.Clock)
		batch.Groups = append(batch.Groups, logged.Groups...)
		bytes += len(r.body)
		last := i == len(left.records)-1
		if !last && bytes < replayBytes && len(batch.Groups) < replayGroups {
			continue
		}
		upTo := &mark{salt: m.salt, position: r.position}
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
