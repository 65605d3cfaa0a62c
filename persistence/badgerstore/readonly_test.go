package badgerstore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

// hashed returns what is in a directory: of each file its content, its mode and when it was changed.
func hashed(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files[path] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano())
		if e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[path] += fmt.Sprintf(" %x", sha256.Sum256(content))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// written returns the directory of a store with rows, closed in order.
func written(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	store, err := Open(dir, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	epochs, err := store.Acquire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	put := persistence.Put{Key: []byte("xa"), Value: []byte("a")}
	_, err = store.Commit(t.Context(), persistence.Batch{Clock: 77, Groups: []persistence.Group{{Shard: 1, Epoch: epochs[0], Puts: []persistence.Put{put}}}})
	if err = errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadingAStoreLeavesItsDirectoryAsItWas(t *testing.T) {
	dir := written(t)
	before := hashed(t, dir)
	for range 2 {
		s, err := OpenReadOnly(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		other, err := OpenReadOnly(dir, Options{}) // readers do not keep readers out
		if err != nil {
			t.Fatal(err)
		}
		if meta := s.Meta(); meta.Clock != 77 || meta.Shards != persistence.Shards || len(meta.Incarnation) != 32 {
			t.Errorf("the store says of itself %+v", meta)
		}
		snapshot, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		value, err := snapshot.Get(t.Context(), []byte("xa"))
		if string(value) != "a" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
		n := 0
		for _, err := range snapshot.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
			if n++; err != nil {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("a scan finds %d rows, want 1", n)
		}
		refused(t, dir, ErrInUse)
		if err := errors.Join(s.Close(), other.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if _, err := snapshot.Get(t.Context(), []byte("xa")); !errors.Is(err, persistence.ErrClosed) {
			t.Errorf("a read after Close: %v, want ErrClosed", err)
		}
		snapshot.Close()
		if _, err := s.Snapshot(); !errors.Is(err, persistence.ErrClosed) {
			t.Errorf("a snapshot after Close: %v, want ErrClosed", err)
		}
	}
	if diff := cmp.Diff(before, hashed(t, dir)); diff != "" {
		t.Errorf("the directory changed (-before +after):\n%s", diff)
	}
	open(t, dir, Options{}).want(true, "a")
}

// unreadable opens a directory for reading that must be refused, and checks that nothing in it changed.
func unreadable(t *testing.T, dir string, want error, says string) {
	t.Helper()
	before := hashed(t, dir)
	s, err := OpenReadOnly(dir, Options{})
	if err == nil {
		t.Errorf("the store was opened: %v", s.Close())
		return
	}
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, want %v, saying %q", err, want, says)
	}
	if diff := cmp.Diff(before, hashed(t, dir)); diff != "" {
		t.Errorf("the directory changed (-before +after):\n%s", diff)
	}
}

func TestADirectoryThatCannotOnlyBeReadIsRefusedUntouched(t *testing.T) {
	unreadable(t, t.TempDir(), ErrNoStore, "no store")

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, badger.ManifestFilename), []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	unreadable(t, dir, ErrForeign, "something else")

	// A table that the manifest does not name is what a crash leaves of a compaction; Badger would delete it.
	dir = written(t)
	if err := os.WriteFile(filepath.Join(dir, "000099.sst"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unreadable(t, dir, ErrUnclean, "open it once for writing")

	// So is half an entry of the manifest.
	dir = written(t)
	manifest, err := os.OpenFile(filepath.Join(dir, badger.ManifestFilename), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = manifest.Write([]byte{0, 0})
	if err = errors.Join(err, manifest.Close()); err != nil {
		t.Fatal(err)
	}
	unreadable(t, dir, ErrUnclean, "open it once for writing")

	dir = create(t)
	with(t, dir, func(txn *badger.Txn) error {
		return txn.Set(persistence.StoreKey(rowStoreFormat), encodeNumber(storeFormat+1))
	})
	unreadable(t, dir, persistence.ErrNewerFormat, "has format 2")

	dir = filepath.Join(t.TempDir(), "store")
	with(t, dir, func(txn *badger.Txn) error { return txn.Set([]byte("x"), nil) })
	unreadable(t, dir, ErrForeign, "missing")
}

func TestADirectoryIsNotReadWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if ro, err := OpenReadOnly(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("a store that is open was opened for reading: %v, %v", ro, err)
	}
	s.commit(s.batch("a"))
}

func TestWhatACrashLeftIsNotReadBeforeItIsRecovered(t *testing.T) {
	dir := t.TempDir()
	child := startChild(t, roleCommit, dir)
	child.opened(t)
	for range 100 {
		child.stdout.Scan()
	}
	child.kill(t)
	unreadable(t, dir, ErrUnclean, "open it once for writing")

	store, err := Open(dir, Options{})
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenReadOnly(dir, Options{})
	if err != nil {
		t.Fatalf("after it was recovered: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
