package badgerstore

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"
)

// TestWasteIsJudgedByTheTables has keys of 12 bytes and their versions, so that Badger counts 28 bytes for a deletion. Rows of the last level have 100 bytes.
func TestWasteIsJudgedByTheTables(t *testing.T) {
	const horizon = 1_000
	key := []byte("twelve bytesVVVVVVVV")
	table := func(level, rows, deletions, version int) badger.TableInfo {
		return badger.TableInfo{
			ID: 7, Level: level, Left: key, Right: key, KeyCount: uint32(rows), OnDiskSize: uint32(100 * rows),
			StaleDataSize: uint32(28 * deletions), MaxVersion: uint64(version),
		}
	}
	touch := [][]byte{[]byte("twelve bytes")}
	for name, test := range map[string]struct {
		tables []badger.TableInfo
		level0 float64
		want   waste
	}{
		"an empty store":                         {nil, 1, waste{}},
		"no deletions":                           {[]badger.TableInfo{table(6, 1_000, 0, 5), table(5, 100, 0, 9)}, 0, waste{tables: 110_000, upper: 10_000, row: 100}},
		"deletions above, of rows below":         {[]badger.TableInfo{table(6, 1_000, 0, 5), table(5, 100, 40, 9)}, 0, waste{tables: 110_000, upper: 10_000, row: 100, shadowed: 8_000}},
		"level 0, which Badger does not count":   {[]badger.TableInfo{table(6, 1_000, 0, 5), table(0, 100, 0, 9)}, 0.5, waste{tables: 110_000, upper: 10_000, row: 100, shadowed: 10_000}},
		"no more than there is":                  {[]badger.TableInfo{table(6, 10, 0, 5), table(0, 100, 0, 9)}, 1, waste{tables: 11_000, upper: 10_000, row: 100, shadowed: 11_000}},
		"what a snapshot needs above":            {[]badger.TableInfo{table(6, 1_000, 0, 5), table(5, 100, 40, horizon+1)}, 0, waste{tables: 110_000, upper: 10_000, row: 100, held: 4_000}},
		"deletions in the last level":            {[]badger.TableInfo{table(6, 1_000, 300, horizon)}, 0, waste{tables: 100_000, row: 100, stuck: 60_000, touch: touch}},
		"the last level, as a snapshot needs it": {[]badger.TableInfo{table(6, 1_000, 300, horizon+1)}, 0, waste{tables: 100_000, row: 100, held: 60_000}},
		"the last level, nothing else":           {[]badger.TableInfo{table(6, 1_000, 900, 5)}, 0, waste{tables: 100_000, row: 100, stuck: 100_000, touch: touch}},
		"nothing in the last level":              {[]badger.TableInfo{table(0, 100, 0, 5)}, 0, waste{tables: 10_000, upper: 10_000, row: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(test.tables, func(id uint64) float64 {
				if id != 7 {
					t.Errorf("asked of table %d", id)
				}
				return test.level0
			}, horizon)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(waste{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.live() < 0 || got.live()+got.total()+got.held > got.tables && got.live() > 0 {
				t.Errorf("%d live, %d and %d not, of %d", got.live(), got.total(), got.held, got.tables)
			}
		})
	}
}

func TestLaterRowsWeighMoreInTheTally(t *testing.T) {
	rows := func(n int, remove bool) []row {
		all := make([]row, n)
		for i := range all {
			all[i].remove = remove
		}
		return all
	}
	var c tally
	if n, share := c.read(); n != 0 || share != 0 {
		t.Errorf("at first: %d, %v", n, share)
	}
	for range 100 {
		c.add(rows(10_000, false))
	}
	for range 50 {
		c.add(rows(10_000, true))
	}
	if n, share := c.read(); n != 500_000 || share < 0.9 {
		t.Errorf("%d deletions, %v of the last rows; want 500000, and nearly all", n, share)
	}
}

func TestFilesAreMeasuredByWhatTheyAre(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"000001.sst": 8_192, "00009.mem": 4_096, "00010.mem": 4_096, "100000.mem": 1, "99999.mem": 1, "000001.vlog": 0, "MANIFEST": 4_096} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := measure(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.apparent != 20_482 || f.bytes != f.tables+f.logs+f.values+f.other || f.tables < 8_192 || f.logs < 8_194 || f.other < 4_096 || f.values != 0 {
		t.Errorf("%+v", f)
	}
	if f.newest != "100000.mem" || len(f.logged) != 4 {
		t.Errorf("newest %q of %v, want 100000.mem", f.newest, f.logged)
	}
	if _, err := measure(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("what is not there was measured")
	}
}

func TestStepsTakeNoMoreThanTheirShare(t *testing.T) {
	for _, test := range []struct {
		share float64
		step  time.Duration
		want  time.Duration // between two steps
	}{
		{0.25, time.Second, 3 * time.Second},
		{0.5, time.Second, time.Second},
		{1, time.Second, 0},
		{0.1, 2 * time.Second, maxPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &pacer{share: test.share}
			for n := range 3 {
				before := time.Now()
				if err := p.pause(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := test.want
				if n == 0 {
					want = 0
				}
				if got := time.Since(before); got != want {
					t.Errorf("%+v: paused for %v before step %d", test, got, n)
				}
				time.Sleep(test.step) // virtual: the step takes its time
			}
			p.rest()
			p.rest()
			if p.worked != 3*test.step {
				t.Errorf("%+v: worked %v", test, p.worked)
			}
		})
	}
}
