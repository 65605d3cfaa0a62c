package badgerstore

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/persistence"
)

// TestWhatWasAcknowledgedSurvivesAKill kills a process that commits, again and again, and looks for what it was told is written.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	for round := range 4 {
		child := startChild(t, roleCommit, dir)
		child.opened(t)
		for range 100 + 150*round {
			if !child.stdout.Scan() {
				t.Fatalf("the child ended: %v", child.stdout.Err())
			}
			acked = append(acked, child.stdout.Text())
		}
		acked = append(acked, child.kill(t)...)

		s := open(t, dir, Options{})
		rows, events := make(map[string]string), make(map[string]int)
		snapshot, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range snapshot.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
			if err != nil {
				t.Fatal(err)
			}
			key, half := row.Key[:len(row.Key)-2], row.Key[len(row.Key)-1:]
			rows[string(key)] += string(half)
		}
		var number uint64
		for row, err := range snapshot.Scan(t.Context(), persistence.EventsRange(1, 0)) {
			if err != nil {
				t.Fatal(err)
			}
			_, n, err := persistence.ParseEventKey(row.Key)
			if err != nil || (number != 0 && n != number+1) {
				t.Errorf("event %d comes after %d: %v", n, number, err)
			}
			number = n
			events[string(row.Value)]++
		}
		snapshot.Close()
		for key, halves := range rows {
			if halves != "ab" || events[key] != 1 {
				t.Errorf("%s: halves %q and %d events; want a whole group", key, halves, events[key])
			}
		}
		for _, key := range acked {
			if rows[strings.TrimSpace(key)] == "" {
				t.Errorf("%s was acknowledged and is gone", key)
			}
		}
		// Those that were under way may have landed, one for each committer and life.
		if extra := len(rows) - len(acked); extra < 0 || extra > committers*(round+1) {
			t.Errorf("%d groups are there that nobody was told of, want at most %d", extra, committers*(round+1))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestARunOfMaintenanceSurvivesAKill kills a process in the middle of a run, a little later each time, until one ends.
func TestARunOfMaintenanceSurvivesAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		s := settled(t, dir, Options{NoSync: true, MaintainEvery: -1})
		s.bulk(0, bulkRows-1_000, true)
	})
	ended := false
	for after := 1; !ended; after++ {
		child := startChild(t, roleMaintain, dir)
		child.opened(t)
		for step := 1; step <= after && !ended; step++ {
			if !child.stdout.Scan() {
				t.Fatalf("the child ended: %v", child.stdout.Err())
			}
			ended = child.stdout.Text() == "done"
		}
		child.kill(t)

		s := open(t, dir, Options{MaintainEvery: -1})
		snapshot := s.snapshot()
		s.wantBulk(snapshot, bulkRows-1_000, bulkRows)
		snapshot.Close()
		if d := s.disk(); ended && d.Bytes > 32<<20 {
			t.Errorf("after a whole run: %+v", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if after > 20 {
			t.Fatal("no run ends")
		}
	}
}
