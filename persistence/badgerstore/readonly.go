package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"github.com/parley-im/parley/persistence"
)

// Errors of OpenReadOnly.
var (
	// ErrNoStore says that there is no store in the directory.
	ErrNoStore = errors.New("there is no store")
	// ErrUnclean says that whoever had the store open did not close it: what it wrote last stands in a log that must be taken in first, which is to write.
	ErrUnclean = errors.New("the store was not closed in order, and reading it as it is would leave out what was written last: open it once for writing, which recovers it " +
		"(engine serve does, and engine explain list), or recover a copy of the directory and ask that")
)

// ReadOnly is a store that is only read. Its methods may be called from any goroutine.
type ReadOnly struct {
	db        *badger.DB
	dir       string
	meta      persistence.Meta
	reads     *gate
	snapshots *snapshots
	close     sync.Once
	closed    error // what closing came to
}

// OpenReadOnly opens the store in dir without writing anything there: neither a file nor a time of one changes, but for when they were last read. Several may have it open so at
// the same time, but nobody for writing. It fails with [ErrInUse] where somebody has; with [ErrNoStore], [ErrForeign], [ErrShards] or persistence.ErrNewerFormat where there is
// nothing that this program can read; and with [ErrUnclean] where a crash left the store to be recovered. Of the options, NoSync, ReserveBytes, RowCacheBytes and FreeSpace mean
// nothing. On Windows, Badger cannot do this, and says so.
func OpenReadOnly(dir string, o Options) (*ReadOnly, error) {
	s, err := openReadOnly(dir, o)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: open %s for reading: %w", dir, err)
	}
	return s, nil
}

func openReadOnly(dir string, o Options) (*ReadOnly, error) {
	options := o.badger(dir, &flattener{log: o.Log})
	options.ReadOnly = true
	options.NumCompactors = 0
	if _, err := os.Stat(filepath.Join(dir, badger.ManifestFilename)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoStore
	}
	// Until Badger has a lock of its own, nobody begins to write between the look at the files and that.
	unlock, err := lockShared(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := mustBeClean(dir, options); err != nil {
		return nil, err
	}
	db, err := badger.Open(options)
	if err != nil {
		return nil, openError(err)
	}
	meta, err := readMeta(db)
	if errors.Is(err, persistence.ErrNotFound) {
		err = fmt.Errorf("%w: the rows that describe it are missing", ErrForeign)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &ReadOnly{db: db, dir: dir, meta: meta, reads: newGate()}
	s.snapshots = newSnapshots(s.reads, nil)
	s.snapshots.publish(db, nil, false)
	return s, nil
}

// mustBeClean refuses a directory that Badger would not, or not only, read. Its own read-only mode deletes tables that the manifest does not name, and leaks goroutines
// where it finds a log that must be replayed; so neither comes to that.
func mustBeClean(dir string, options badger.Options) error {
	if err := prepare(dir); err != nil { // it is there, so that nothing is made
		return err
	}
	manifest, err := os.Open(filepath.Join(dir, badger.ManifestFilename)) //nolint:gosec // the host names the directory
	if err != nil {
		return err
	}
	defer manifest.Close()
	known, end, err := badger.ReplayManifestFile(manifest, magic, options)
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	info, err := manifest.Stat()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(dir, redoDir, "*"+segmentExt))
	if err != nil {
		return err
	}
	if info.Size() != end || len(logs) > 0 || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return isLeft(e.Name(), &known) }) {
		return ErrUnclean
	}
	return nil
}

// isLeft reports whether a file is one that Badger removes when it closes, or when it opens: a log, or a table that is not in the manifest yet, or no more.
func isLeft(name string, manifest *badger.Manifest) bool {
	if strings.HasSuffix(name, ".mem") {
		return true
	}
	if number, ok := table.ParseFileID(name); ok {
		_, named := manifest.Tables[number]
		return !named
	}
	return false
}

// Close closes the store. It waits for the reads under way as [Store.Close] does. Calling it again returns what the first call did.
func (s *ReadOnly) Close() error {
	s.close.Do(func() {
		s.reads.close()
		s.snapshots.close()
		if err := s.db.Close(); err != nil {
			s.closed = fmt.Errorf("badgerstore: close %s: %w", s.dir, err)
		}
	})
	return s.closed
}

// Meta returns what the store says of itself. It may be called after Close.
func (s *ReadOnly) Meta() persistence.Meta { return s.meta }

// Snapshot returns the store as it is. It does not block. The caller must close it.
func (s *ReadOnly) Snapshot() (persistence.Snapshot, error) {
	h, err := s.snapshots.open()
	if err != nil {
		return nil, err
	}
	return h, nil
}
