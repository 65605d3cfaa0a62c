package histogram

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachCellEndsAfterTheOneBeforeIt(t *testing.T) {
	for i := 1; i < cells; i++ {
		if table.cells[i].upTo <= table.cells[i-1].upTo {
			t.Errorf("cell %d ends at %v, the one before at %v", i, table.cells[i].upTo, table.cells[i-1].upTo)
		}
	}
	if last := table.cells[cells-1].upTo; last != nativeBound(highest) || len(table.bounds) != classics {
		t.Errorf("the last of %d cells ends at %v, want %v; there are %d classic bounds, want %d", cells, last, nativeBound(highest), len(table.bounds), classics)
	}
}

// durations draws from all lengths alike, and often right at a bound.
var durations = rapid.Custom(func(t *rapid.T) time.Duration {
	if rapid.Bool().Draw(t, "at a bound") {
		at := table.cells[rapid.IntRange(0, cells-1).Draw(t, "cell")].upTo
		return at + time.Duration(rapid.IntRange(-1, 1).Draw(t, "off"))
	}
	n := rapid.IntRange(0, 63).Draw(t, "bits")
	return time.Duration(rapid.Int64Range(0, math.MaxInt64>>(63-n)).Draw(t, "d"))
})

func TestBucketsCountWhatIsNotLongerThanTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(durations).Draw(t, "durations")
		var r Recorder
		var sum time.Duration
		for _, d := range all {
			r.Record(d)
			sum += max(d, 0)
		}
		var h Histogram
		h.Add(&r)
		if h.Count() != uint64(len(all)) || h.Sum != sum {
			t.Fatalf("count %d and sum %v, want %d and %v", h.Count(), h.Sum, len(all), sum)
		}
		upTo := func(bound time.Duration) (n uint64) {
			for _, d := range all {
				if d <= bound {
					n++
				}
			}
			return n
		}
		var bounds []time.Duration
		for bound, n := range h.Buckets() {
			bounds = append(bounds, bound)
			if want := upTo(bound); n != want {
				t.Fatalf("up to %v: %d, want %d", bound, n, want)
			}
		}
		if !slices.Equal(bounds, Bounds()) {
			t.Fatalf("bounds %v, want %v", bounds, Bounds())
		}
		zero, buckets := h.Native()
		if want := upTo(nativeBound(lowest)); zero != want {
			t.Fatalf("zero: %d, want %d", zero, want)
		}
		n := zero
		for i := lowest + 1; i < highest; i++ {
			n += buckets[i]
			if want := upTo(nativeBound(i)); n != want {
				t.Fatalf("native buckets up to %d, which ends at %v: %d, want %d", i, nativeBound(i), n, want)
			}
		}
		if n += buckets[highest]; n != uint64(len(all)) {
			t.Fatalf("all native buckets: %d, want %d", n, len(all))
		}
	})
}

func TestAQuantileIsTooLongByAFifthAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(120, int64(30*24*time.Hour)), 1, 100).Draw(t, "durations")
		var r Recorder
		for _, d := range all {
			r.Record(time.Duration(d))
		}
		var h Histogram
		h.Add(&r)
		slices.Sort(all)
		q := rapid.Float64Range(0.01, 1).Draw(t, "q")
		want := time.Duration(all[max(int(q*float64(len(all)))-1, 0)])
		if got := h.Quantile(q); got < want || float64(got) > 1.2*float64(want) {
			t.Fatalf("quantile %v of %v: %v, want %v to %v", q, all, got, want, time.Duration(1.2*float64(want)))
		}
	})
	if got := (Histogram{}).Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v, want 0", got)
	}
}

func TestWhatManyRecordIsCountedOnce(t *testing.T) {
	var r, other Recorder
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 1_000 {
				r.Record(time.Duration(i) * time.Millisecond)
			}
		})
	}
	other.Record(time.Hour)
	all.Wait()
	var h Histogram
	h.Add(&r)
	h.Add(&other)
	if h.Count() != 4_001 || h.Sum != 6*time.Second+time.Hour {
		t.Errorf("count %d and sum %v, want 4,001 and 1h0m6s", h.Count(), h.Sum)
	}
}

func BenchmarkRecord(b *testing.B) {
	var r Recorder
	d := time.Duration(100)
	for b.Loop() {
		r.Record(d)
		d = (d*5 + 1) % (10 * time.Millisecond)
	}
}
