package badgerstore

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestFlattenCanBeStoppedBeforeEachOfItsSteps shows what flattener builds on: Badger logs a certain line before each step, on the caller's goroutine; a panic there takes
// nothing with it, and Badger's own compactions go on afterwards.
func TestFlattenCanBeStoppedBeforeEachOfItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wasted(t, Options{})
		if err := s.maintainer.stir(t.Context(), nil); err != nil { // takes the deletions to level 0, so that there is something to flatten
			t.Fatal(err)
		}
		errEnd := errors.New("the end")
		before := s.db.Levels()[0].NumTables
		for most := 0; ; most++ {
			steps := 0
			err := s.maintainer.flattener.flatten(s.db, func() error {
				if steps++; steps > most {
					return errEnd
				}
				return nil
			})
			if most == 0 && (!errors.Is(err, errEnd) || s.db.Levels()[0].NumTables != before) {
				t.Errorf("%v, and %d tables in level 0: want the end before the first step, and %d", err, s.db.Levels()[0].NumTables, before)
			}
			if err == nil {
				break
			}
			if most > 100 || !errors.Is(err, errEnd) || steps != most+1 {
				t.Fatalf("stopped after %d steps: %v in step %d", most, err, steps)
			}
		}
		if n := s.db.Levels()[0].NumTables; n != 0 {
			t.Errorf("%d tables in level 0 after Flatten", n)
		}
		s.maintainer.flattener.Infof(stepMessage, 1) // outside of a run nobody is asked

		for range 6 { // more than level 0 may have
			if err := s.maintainer.stir(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second) // virtual: Badger's own compactions, if they go on
		if n := s.db.Levels()[0].NumTables; n > 4 {
			t.Errorf("%d tables in level 0: Badger's own compactions do not go on", n)
		}
	})
}

func TestAPanicOfAnotherKindPassesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wasted(t, Options{})
		if err := s.maintainer.stir(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if p := recover(); p != "other" {
				t.Errorf("recovered %v, want the panic", p)
			}
		}()
		t.Errorf("Flatten ended, with %v", s.maintainer.flattener.flatten(s.db, func() error { panic("other") }))
	})
}

func TestBadgersOtherLinesReachTheHost(t *testing.T) {
	type line struct {
		level slog.Level
		text  string
	}
	var got []line
	f := &flattener{log: func(level slog.Level, text string) { got = append(got, line{level, text}) }}
	f.Infof("a %d\n", 1)
	f.Warningf("b")
	f.Errorf("c")
	f.Debugf("d")
	f.Infof(stepMessage, 1)
	want := []line{{slog.LevelInfo, "a 1"}, {slog.LevelWarn, "b"}, {slog.LevelError, "c"}, {slog.LevelDebug, "d"}}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d: %v, want %v", i, got[i], want[i])
		}
	}
	(&flattener{}).Errorf("to nobody")
}
