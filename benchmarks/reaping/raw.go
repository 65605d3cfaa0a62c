package reaping

import (
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// RawOptions returns what package badgerstore sets of Badger, as far as it matters to writing: every transaction is fsynced.
func RawOptions(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(true).
		WithDetectConflicts(false).
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithNumCompactors(2).
		WithBlockCacheSize(32 << 20).
		WithValueLogFileSize(1 << 20).
		WithMetricsEnabled(false).
		WithLogger(nil)
}

// DeleteRaw writes the rows to a Badger database in dir and returns how long it takes to delete them again, in batches of [BatchRows]. dir must be
// empty or absent, and is left behind.
func DeleteRaw(dir string, rows []persistence.Row) (took time.Duration, err error) {
	db, err := badger.Open(RawOptions(dir))
	if err != nil {
		return 0, fmt.Errorf("reaping: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	set := func(batch *badger.WriteBatch, row persistence.Row) error { return batch.Set(row.Key, row.Value) }
	if err := writeRaw(db, rows, set); err != nil {
		return 0, err
	}
	began := time.Now()
	err = writeRaw(db, rows, func(batch *badger.WriteBatch, row persistence.Row) error { return batch.Delete(row.Key) })
	return time.Since(began), err
}

func writeRaw(db *badger.DB, rows []persistence.Row, do func(*badger.WriteBatch, persistence.Row) error) error {
	for start := 0; start < len(rows); start += BatchRows {
		batch := db.NewWriteBatch()
		for _, row := range rows[start:min(start+BatchRows, len(rows))] {
			if err := do(batch, row); err != nil {
				batch.Cancel()
				return fmt.Errorf("reaping: %w", err)
			}
		}
		if err := batch.Flush(); err != nil {
			return fmt.Errorf("reaping: %w", err)
		}
	}
	return nil
}
