package parley

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatWasAnsweredAndIsNotInTheStoreWasTakenBack(t *testing.T) {
	p := side.Params{
		Dir: t.TempDir(), Known: 20, Members: 2, Callers: 1, Batch: 10, Rate: 1_000, Window: 20 * time.Millisecond, Interval: 5 * time.Millisecond,
	}
	s, err := OpenDoomed(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as fast as it goes, and then at a rate
		if _, err := s.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // in order, so that nothing is taken back
		t.Fatal(err)
	}
	answered, err := readDiary(filepath.Join(p.Dir, diary))
	if err != nil {
		t.Fatal(err)
	}
	if posts, err := TakenBack(t.Context(), p); posts != 0 || err != nil || len(answered) == 0 {
		t.Fatalf("%d posts to %d conversations were taken back, error %v; want none", posts, len(answered), err)
	}

	file, err := os.OpenFile(filepath.Join(p.Dir, diary), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for place, seq := range answered {
		line := binary.LittleEndian.AppendUint64(nil, place)
		line = binary.LittleEndian.AppendUint64(line, seq+7)
		if _, err := file.Write(append(line, 1, 2, 3)); err != nil { // and a line that was cut off
			t.Fatal(err)
		}
		break
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if posts, err := TakenBack(t.Context(), p); posts != 7 || err != nil {
		t.Errorf("%d posts were taken back, error %v; want 7", posts, err)
	}
}
