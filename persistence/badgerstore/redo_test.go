package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// abandoned is a store's directory as a killed process leaves it, with what it had logged.
type abandoned struct {
	dir  string
	file string // of the log
	ends []int  // of the records in that
}

// logAndCopy logs so many rows, one by one, and returns a copy of the directory.
func logAndCopy(t *testing.T, o Options, rows int) abandoned {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir, o)
	for i := range rows {
		if _, err := s.Log(t.Context(), s.batch(fmt.Sprintf("%03d", i))); err != nil {
			t.Fatal(err)
		}
	}
	a := abandoned{dir: copyOf(t, dir)}
	names, err := filepath.Glob(filepath.Join(a.dir, redoDir, "*"+segmentExt))
	if err != nil || len(names) != 1 {
		t.Fatalf("files of the log: %v, %v; want one", names, err)
	}
	a.file = names[0]
	b := a.bytes(t)
	_, end := recordsIn(b, s.redo.salt, 0, math.MaxUint64)
	for at := segmentHeader; at < end; {
		at += recordHeader + int(binary.LittleEndian.Uint32(b[at+saltBytes+16:]))
		a.ends = append(a.ends, at)
	}
	if len(a.ends) != rows {
		t.Fatalf("%d records of %d", len(a.ends), rows)
	}
	return a
}

// copyOf copies a directory, but for its lock.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() == "LOCK" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func (a *abandoned) bytes(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (a *abandoned) write(t *testing.T, b []byte) {
	t.Helper()
	if err := os.WriteFile(a.file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// left reads the log as Open would.
func (a *abandoned) left(t *testing.T, of salt) *leftover {
	t.Helper()
	left, err := readRedo(a.dir, of, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(left.release)
	return left
}

func (a *abandoned) salt(t *testing.T) (of salt) {
	t.Helper()
	copy(of[:], a.bytes(t)[8:])
	return of
}

func TestALogThatEndsAnywhereIsReadUpToItsLastWholeRecord(t *testing.T) {
	a := logAndCopy(t, Options{}, 4)
	whole, of := a.bytes(t), a.salt(t)
	end := a.ends[len(a.ends)-1]
	for cut := segmentHeader; cut <= end; cut++ {
		want := 0
		for _, e := range a.ends {
			if e <= cut {
				want++
			}
		}
		torn := bytes.Clone(whole)
		clear(torn[cut:])
		if bytes.Equal(torn, whole) || slices.ContainsFunc(a.ends, func(e int) bool { return cut < e && bytes.Equal(torn[:e], whole[:e]) }) {
			torn = whole[:cut] // the end of a record is zeroes anyway
		}
		for how, b := range map[string][]byte{"cut off": whole[:cut], "zeroes from there on": torn} {
			a.write(t, b)
			if left := a.left(t, of); left.damage != nil || len(left.records) != want {
				t.Fatalf("%s at %d of %d: %d records, %v; want %d", how, cut, end, len(left.records), left.damage, want)
			}
		}
	}
}

func TestALogThatIsDamagedAnywhereIsNotReadBeyondThatAndSaysSo(t *testing.T) {
	a := logAndCopy(t, Options{}, 4)
	whole, of := a.bytes(t), a.salt(t)
	for at := range a.ends[len(a.ends)-1] {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x20
		a.write(t, damaged)
		left := a.left(t, of)
		if at < segmentHeader { // the records say by themselves whose they are
			if left.damage == nil && len(left.records) != len(a.ends) {
				t.Fatalf("a flipped bit at %d, in the header: %d records", at, len(left.records))
			}
			continue
		}
		want := 0
		for _, e := range a.ends {
			if e <= at {
				want++
			}
		}
		inLast := at >= a.ends[len(a.ends)-2]
		if (left.damage == nil) != inLast || left.damage != nil && !errors.Is(left.damage, ErrLogDamaged) {
			t.Fatalf("a flipped bit at %d: %v; want damage unless it is in the last record: %v", at, left.damage, inLast)
		}
		if len(left.records) != want {
			t.Fatalf("a flipped bit at %d: %d records, want %d", at, len(left.records), want)
		}
	}
}

func TestADamagedLogKeepsTheStoreFromOpeningUnlessItIsAbandoned(t *testing.T) {
	a := logAndCopy(t, Options{}, 4)
	damaged := a.bytes(t)
	damaged[a.ends[1]-1] ^= 1
	a.write(t, damaged)
	if _, err := Open(a.dir, Options{}); !errors.Is(err, ErrLogDamaged) {
		t.Fatalf("open: %v, want ErrLogDamaged", err)
	}
	s := open(t, a.dir, Options{AbandonLog: true})
	s.want(true, "000")
	s.want(false, "001", "002", "003")
}

func TestALogThatIsMissingKeepsTheStoreFromOpening(t *testing.T) {
	a := logAndCopy(t, Options{}, 1)
	if err := os.RemoveAll(filepath.Join(a.dir, redoDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(a.dir, Options{}); !errors.Is(err, ErrLogDamaged) {
		t.Fatalf("open: %v, want ErrLogDamaged", err)
	}
}

func TestALogThatWasNotSyncedMayBeDamaged(t *testing.T) {
	a := logAndCopy(t, Options{NoSync: true}, 4)
	damaged := a.bytes(t)
	damaged[a.ends[1]-1] ^= 1
	a.write(t, damaged)
	s := open(t, a.dir, Options{NoSync: true})
	s.want(true, "000")
	s.want(false, "001", "002", "003")
}

func TestAStoreThatWasClosedHasNoLog(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for i := range 3 {
		position, err := s.Log(t.Context(), s.batch("a"))
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			batch := s.batch("a")
			batch.Logged = position
			s.commit(batch)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, redoDir)); err != nil {
		t.Errorf("what was logged and not committed: %v, want it to be kept", err)
	}
	if _, err := OpenReadOnly(dir, Options{}); !errors.Is(err, ErrUnclean) {
		t.Errorf("to open it for reading: %v, want ErrUnclean", err)
	}
	s = open(t, dir, Options{})
	s.want(true, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, redoDir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after all of it was committed: %v, want no log", err)
	}
	r, err := OpenReadOnly(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestARecordThatCouldNotBeSyncedIsReplacedByTheNext(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	broken := errors.New("the disk does not answer")
	var failing atomic.Bool
	s.redo.sync = func(f *os.File) error {
		if failing.Load() {
			return broken
		}
		return syncData(f)
	}
	if _, err := s.Log(t.Context(), s.batch("a")); err != nil {
		t.Fatal(err)
	}
	failing.Store(true)
	lost, err := s.Log(t.Context(), s.batch("lost", "with", "others"))
	if !errors.Is(err, broken) || lost == 0 {
		t.Fatalf("log: %d, %v; want a position, and the failure", lost, err)
	}
	failing.Store(false)
	after, err := s.Log(t.Context(), s.batch("b"))
	if err != nil || after <= lost {
		t.Fatalf("log: %d, %v; want a position behind %d", after, err, lost)
	}
	again := open(t, copyOf(t, dir), Options{})
	again.want(true, "a", "b")
	again.want(false, "lost", "with", "others")
}

// What could not be written may be found all the same, unless a commit covers it.
func TestARecordOfUnknownOutcomeCanBeCovered(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	s.redo.sync = func(*os.File) error { return errors.New("the disk does not answer") }
	position, err := s.Log(t.Context(), s.batch("a"))
	if err == nil {
		t.Fatal("the log was synced")
	}
	before := open(t, copyOf(t, dir), Options{})
	before.want(true, "a")
	if _, err := s.Commit(t.Context(), persistence.Batch{Logged: position}); err != nil {
		t.Fatal(err)
	}
	after := open(t, copyOf(t, dir), Options{})
	after.want(false, "a")
}

func TestWhatIsCarriedOutMayBeCutShort(t *testing.T) {
	a := logAndCopy(t, Options{}, 4)
	dir := copyOf(t, a.dir)
	// A first attempt ends after some of it was committed.
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	half := copyOf(t, dir)
	for _, name := range []string{half, a.dir} {
		again := open(t, name, Options{})
		again.want(true, "000", "001", "002", "003")
	}
}

func TestTheMarkOfALogIsReadAsItWasWritten(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if _, err := s.Log(t.Context(), s.batch("a")); err != nil {
		t.Fatal(err)
	}
	m, err := readMark(s.db)
	if err != nil || m.salt != s.redo.salt || m.position != 0 {
		t.Errorf("%+v, %v; want that of the log", m, err)
	}
	want := mark{salt{9}, 1 << 40}
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(persistence.StoreKey(rowRedo), want.encode()) }); err != nil {
		t.Fatal(err)
	}
	if m, err = readMark(s.db); err != nil || m != want {
		t.Errorf("%+v, %v; want %+v", m, err, want)
	}
	if !slices.Equal(want.encode()[:1], []byte{rowFormat}) {
		t.Error("the row has no format")
	}
}
