package badgerstore

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

// refused opens a directory that must be refused, and checks what the error says.
func refused(t *testing.T, dir string, want error, says ...string) {
	t.Helper()
	store, err := Open(dir, Options{})
	if err == nil {
		t.Errorf("the store was opened: %v", store.Close())
		return
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	for _, text := range append(says, dir) {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

// with opens the database under a new store, changes it, and closes it again.
func with(t *testing.T, dir string, change func(txn *badger.Txn) error) {
	t.Helper()
	db, err := badger.Open(Options{}.badger(dir, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "new", "store")
	store, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestADirectoryIsOpenedOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	refused(t, dir, ErrInUse, "in use by another process")
	s.commit(s.batch("a"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{}).want(true, "a")
}

func TestADirectoryInUseByAnotherProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	child := startChild(t, roleHold, dir)
	child.opened(t)
	refused(t, dir, ErrInUse, "in use by another process", "stop")
	child.kill(t)
	open(t, dir, Options{})
}

func TestANewerStoreIsRefused(t *testing.T) {
	dir := create(t)
	with(t, dir, func(txn *badger.Txn) error {
		return txn.Set(persistence.StoreKey(rowStoreFormat), encodeNumber(storeFormat+1))
	})
	refused(t, dir, persistence.ErrNewerFormat, "has format 2", "reads 1")
}

func TestAStoreWithNewerRowsAboutItselfIsRefused(t *testing.T) {
	dir := create(t)
	with(t, dir, func(txn *badger.Txn) error {
		return txn.Set(persistence.StoreKey(rowIncarnation), []byte{rowFormat + 1, 'x'})
	})
	refused(t, dir, persistence.ErrNewerFormat, rowIncarnation, "version 2", "reads 1")
}

func TestAStoreWithBrokenRowsAboutItselfIsRefused(t *testing.T) {
	dir := create(t)
	for _, row := range []string{rowStoreFormat, rowShards, rowIncarnation, rowClock} {
		key := persistence.StoreKey(row)
		var good []byte
		with(t, dir, func(txn *badger.Txn) (err error) {
			if good, err = read(txn, key); err != nil {
				return err
			}
			return txn.Set(key, []byte{rowFormat})
		})
		refused(t, dir, persistence.ErrValue, row)
		with(t, dir, func(txn *badger.Txn) error { return txn.Set(key, []byte{rowFormat - 1, 1}) })
		refused(t, dir, persistence.ErrValue, row)
		with(t, dir, func(txn *badger.Txn) error { return txn.Delete(key) })
		refused(t, dir, ErrForeign)
		with(t, dir, func(txn *badger.Txn) error { return txn.Set(key, good) })
	}
	open(t, dir, Options{})
}

func TestAStoreWithAnotherNumberOfShardsIsRefused(t *testing.T) {
	dir := create(t)
	with(t, dir, func(txn *badger.Txn) error { return txn.Set(persistence.StoreKey(rowShards), encodeNumber(64)) })
	refused(t, dir, ErrShards, "64 shards", "256")
}

func TestADatabaseOfAnotherProgramIsRefusedUntouched(t *testing.T) {
	dir := t.TempDir()
	options := badger.DefaultOptions(dir)
	options.Logger = nil
	db, err := badger.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *badger.Txn) error { return txn.Set([]byte("theirs"), nil) })
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	refused(t, dir, ErrForeign)
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("the directory changed:\n%s", diff)
	}
}

// contents returns the sizes and times of the files in a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = info.ModTime().String()
	}
	return files
}

func TestADatabaseWithoutRowsAboutItselfIsRefusedUnlessEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	with(t, dir, func(*badger.Txn) error { return nil }) // as a crash leaves it before the first rows
	open(t, dir, Options{})

	dir = filepath.Join(t.TempDir(), "store")
	with(t, dir, func(txn *badger.Txn) error { return txn.Set([]byte("x"), nil) })
	refused(t, dir, ErrForeign)
}

func TestADirectoryWithOtherFilesIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, ErrForeign, "thesis.tex")
	refused(t, file, nil, "not a directory")
	refused(t, filepath.Join(file, "below"), nil, "not a directory")
	if err := os.Rename(file, filepath.Join(dir, badger.ManifestFilename)); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, ErrForeign)
}

func TestADirectoryThatCannotBeMadeIsRefused(t *testing.T) {
	dir := "/proc/nobody/may/write/here"
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("needs a /proc")
	}
	refused(t, dir, os.ErrNotExist)
}

func TestBadgersMessagesGoToTheHost(t *testing.T) {
	var messages, multiline atomic.Int64
	s := open(t, t.TempDir(), Options{Log: func(_ slog.Level, message string) {
		messages.Add(1)
		if message != strings.TrimSpace(message) {
			multiline.Add(1)
		}
	}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if messages.Load() == 0 || multiline.Load() > 0 {
		t.Errorf("%d messages, of which %d end with a line break", messages.Load(), multiline.Load())
	}
}

func TestEachStoreHasAnIncarnationOfItsOwn(t *testing.T) {
	one, two := open(t, t.TempDir(), Options{}), open(t, t.TempDir(), Options{})
	if a, b := one.Meta().Incarnation, two.Meta().Incarnation; a == b || len(a) != 32 || len(b) != 32 {
		t.Errorf("%q and %q; want two different ones of 32 digits", a, b)
	}
}
