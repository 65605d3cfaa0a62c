package badgerstore

import (
	"errors"
	"math"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func TestAFullDiskRefusesToLogUntilThereIsSpace(t *testing.T) {
	const reserve = 1 << 20
	var free atomic.Uint64
	free.Store(math.MaxUint64)
	s := open(t, t.TempDir(), Options{ReserveBytes: reserve, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	for _, left := range []uint64{0, reserve, reserve + 10} {
		free.Store(left)
		if position, err := s.Log(t.Context(), s.batch("a")); !errors.Is(err, persistence.ErrStoreFull) || position != 0 {
			t.Errorf("log with %d bytes free: %d, %v; want ErrStoreFull", left, position, err)
		}
	}
	free.Store(math.MaxUint64)
	if _, err := s.Log(t.Context(), s.batch("b")); err != nil {
		t.Error(err)
	}
	free.Store(reserve)
	if _, err := s.Log(t.Context(), s.batch("c")); !errors.Is(err, persistence.ErrStoreFull) {
		t.Errorf("log with nothing free: %v, want ErrStoreFull", err)
	}
}

// Files of the log that are kept to be used again are not what fills a disk.
func TestAFullDiskHasNoSpareFilesOfTheLog(t *testing.T) {
	const reserve = 1 << 20
	for name, refused := range map[string]func(s *subject) error{
		"a log":    func(s *subject) error { _, err := s.Log(t.Context(), s.batch("b")); return err },
		"a commit": func(s *subject) error { _, err := s.Commit(t.Context(), s.batch("b")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var free atomic.Uint64
			free.Store(math.MaxUint64)
			dir := t.TempDir()
			s := open(t, dir, Options{NoSync: true, ReserveBytes: reserve, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
			batch := s.batch("a")
			batch.Groups[0].Puts[0].Value = make([]byte, 500_000)
			var last persistence.Position
			for range 100 { // 50 MB
				var err error
				if last, err = s.Log(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Commit(t.Context(), persistence.Batch{Logged: last}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Log(t.Context(), s.batch("a")); err != nil { // which finds that the files are not needed
				t.Fatal(err)
			}
			files := func() int {
				names, err := filepath.Glob(filepath.Join(dir, redoDir, "*"))
				if err != nil {
					t.Fatal(err)
				}
				return len(names)
			}
			if n := files(); n < 3 {
				t.Fatalf("%d files are kept; want all that the log had", n)
			}
			free.Store(reserve)
			if err := refused(s); !errors.Is(err, persistence.ErrStoreFull) {
				t.Fatalf("%v, want ErrStoreFull", err)
			}
			if n := files(); n != 1 {
				t.Errorf("%d files, want that which is written to", n)
			}
			free.Store(math.MaxUint64)
			if _, err := s.Log(t.Context(), s.batch("c")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFilesOfTheLogAreUsedAgain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{NoSync: true})
	batch := s.batch("a")
	batch.Groups[0].Puts[0].Value = make([]byte, 500_000)
	for i := range 200 { // 100 MB
		position, err := s.Log(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 {
			if _, err := s.Commit(t.Context(), persistence.Batch{Logged: position}); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, redoDir, "*"))
	if err != nil || len(names) > 2 {
		t.Errorf("files: %v, %v; want two at most", names, err)
	}
	again := open(t, copyOf(t, dir), Options{NoSync: true})
	again.want(false, "a")
	if _, err := s.Log(t.Context(), s.batch("b")); err != nil {
		t.Fatal(err)
	}
	again = open(t, copyOf(t, dir), Options{NoSync: true})
	again.want(true, "b")
	again.want(false, "a")
}
