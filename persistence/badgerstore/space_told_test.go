package badgerstore

import (
	"errors"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func TestSpaceTellsWhatIsTakenAndLeft(t *testing.T) {
	dir, options := t.TempDir(), Options{NoSync: true, ReserveBytes: 1000, FreeSpace: func(string) (uint64, error) { return 1 << 30, nil }}
	s, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := s.Space(); err != nil || d.Free != 1<<30 || d.Reserve != 1000 || d.ValueLog == 0 || d.Tables != 0 {
		t.Errorf("of an empty store: got %+v, %v; want the free space and the reserve that were given, a value log, and no tables", d, err)
	}
	if _, err := s.Acquire(t.Context(), 0, 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // which makes a table of what is in memory
		t.Fatal(err)
	}
	if s, err = Open(dir, options); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d, err := s.Space(); err != nil || d.Tables == 0 {
		t.Errorf("of a store with rows: got %+v, %v; want tables", d, err)
	}
}

func TestSpaceFailsWhereNobodyCanSay(t *testing.T) {
	broken := errors.New("the disk does not answer")
	free := func(string) (uint64, error) { return 1 << 40, nil }
	s, err := Open(t.TempDir(), Options{NoSync: true, FreeSpace: func(dir string) (uint64, error) { return free(dir) }})
	if err != nil {
		t.Fatal(err)
	}
	free = func(string) (uint64, error) { return 0, broken }
	if _, err := s.Space(); !errors.Is(err, broken) {
		t.Errorf("got %v, want that %v", err, broken)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Space(); !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}
