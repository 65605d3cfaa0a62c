package badgerstore

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// storeFormat is the version of the layout of a whole store: which rows there are and how their keys are made.
const storeFormat = 1

// Names of the rows that describe the store. Each value is the version of its own format, which is rowFormat, and a number or a text. That
// of the store's format must stay readable for ever: a program learns from it that it is too old.
const (
	rowFormat = 1

	rowStoreFormat = "format"
	rowShards      = "shards"
	rowIncarnation = "incarnation"
	rowClock       = "clock"
	rowRedo        = "redo" // a mark; there is none where nothing was ever logged
)

// identify checks that the database is a store that this program can use, and makes an empty one into such a store.
func identify(db *badger.DB) (persistence.Meta, error) {
	meta, err := readMeta(db)
	if !errors.Is(err, persistence.ErrNotFound) {
		return meta, err
	}
	if err = mustBeEmpty(db); err != nil {
		return meta, err
	}
	return createMeta(db)
}

func readMeta(db *badger.DB) (persistence.Meta, error) {
	txn := db.NewTransaction(false)
	defer txn.Discard()
	version, err := readNumber(txn, rowStoreFormat)
	if err != nil {
		return persistence.Meta{}, err
	}
	if version > storeFormat {
		return persistence.Meta{}, fmt.Errorf("%w: the store has format %d, this program reads %d", persistence.ErrNewerFormat, version, storeFormat)
	}
	shards, err := readNumber(txn, rowShards)
	if err != nil {
		return persistence.Meta{}, err
	}
	if shards != persistence.Shards {
		return persistence.Meta{}, fmt.Errorf("%w: the store was created with %d shards, this program has %d", ErrShards, shards, persistence.Shards)
	}
	incarnation, err := readRow(txn, rowIncarnation)
	if err != nil {
		return persistence.Meta{}, err
	}
	clock, err := readNumber(txn, rowClock)
	if err != nil {
		return persistence.Meta{}, err
	}
	return persistence.Meta{Incarnation: string(incarnation), Shards: persistence.Shards, Clock: persistence.Instant(clock)}, nil
}

// createMeta writes the store's own rows in one transaction: a store has all of them or, after a crash, none.
func createMeta(db *badger.DB) (persistence.Meta, error) {
	var drawn [16]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return persistence.Meta{}, fmt.Errorf("draw an incarnation: %w", err)
	}
	meta := persistence.Meta{Incarnation: hex.EncodeToString(drawn[:]), Shards: persistence.Shards}
	err := db.Update(func(txn *badger.Txn) error {
		for name, value := range map[string][]byte{
			rowStoreFormat: encodeNumber(storeFormat),
			rowShards:      encodeNumber(persistence.Shards),
			rowIncarnation: append([]byte{rowFormat}, meta.Incarnation...),
			rowClock:       encodeNumber(0),
		} {
			if err := txn.Set(persistence.StoreKey(name), value); err != nil {
				return err
			}
		}
		return nil
	})
	return meta, err
}

func mustBeEmpty(db *badger.DB) error {
	return db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		if it.Rewind(); it.Valid() {
			return fmt.Errorf("%w: it has rows, but none that describe the store", ErrForeign)
		}
		return nil
	})
}

func encodeNumber(n uint64) []byte { return binary.AppendUvarint([]byte{rowFormat}, n) }

// readRow returns what stands behind the version of a row about the store.
func readRow(txn *badger.Txn, name string) ([]byte, error) {
	value, err := read(txn, persistence.StoreKey(name))
	switch {
	case err != nil:
		return nil, err
	case len(value) < 2 || value[0] < rowFormat:
		return nil, fmt.Errorf("%w (the store's row %q)", persistence.ErrValue, name)
	case value[0] > rowFormat:
		return nil, fmt.Errorf("%w: the store's row %q has version %d, this program reads %d", persistence.ErrNewerFormat, name, value[0], rowFormat)
	}
	return value[1:], nil
}

func readNumber(txn *badger.Txn, name string) (uint64, error) {
	value, err := readRow(txn, name)
	if err != nil {
		return 0, err
	}
	n, length := binary.Uvarint(value)
	if length != len(value) {
		return 0, fmt.Errorf("%w (the store's row %q)", persistence.ErrValue, name)
	}
	return n, nil
}
