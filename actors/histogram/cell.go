package histogram

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Schema is that of the native buckets: the bucket with the index i ends at 2^(i/4) seconds.
const Schema = 2

const (
	perOctave = 1 << Schema
	lowest    = -23 * perOctave // the index of the bound below which all is zero
	highest   = 22 * perOctave  // the index of the last bucket
	natives   = highest - lowest + 1
	classics  = 25
	shared    = 3 // 250 ms, 500 ms and 1 s are bounds of both
	// cells is how many bounds there are in all.
	cells = natives + classics - shared
)

// ZeroThreshold is up to where durations are not told apart in native buckets, in seconds: about 120 ns.
const ZeroThreshold = 1.0 / (1 << 23)

// cell is a range of durations: those longer than the cell before it has, up to its own bound.
type cell struct {
	upTo    time.Duration
	native  int // the index of the bucket that it is part of
	classic int // likewise; the number of bounds: it is longer than the last
}

// layout is the cells, and where to begin to look for one.
type layout struct {
	cells  [cells]cell
	bounds []time.Duration
	first  [65]uint8 // by the number of bits of a duration: the first cell that it may be in
}

// table never changes.
var table = newLayout() //nolint:gochecknoglobals // a constant that the language cannot write

func newLayout() *layout {
	l := &layout{bounds: []time.Duration{
		time.Microsecond, 2500 * time.Nanosecond, 5 * time.Microsecond,
		10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond,
		100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
		10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour,
	}}
	uppers := slices.Clone(l.bounds)
	for i := lowest; i <= highest; i++ {
		uppers = append(uppers, nativeBound(i))
	}
	slices.Sort(uppers)
	uppers = slices.Compact(uppers)
	native := lowest
	for i, upTo := range uppers {
		for native < highest && nativeBound(native) < upTo {
			native++
		}
		classic, _ := slices.BinarySearch(l.bounds, upTo)
		l.cells[i] = cell{upTo: upTo, native: native, classic: classic}
	}
	for n := range l.first {
		shortest := time.Duration(0)
		if n > 0 {
			shortest = time.Duration(min(uint64(1)<<(n-1), math.MaxInt64))
		}
		at, _ := slices.BinarySearch(uppers, shortest)
		l.first[n] = uint8(min(at, cells-1))
	}
	return l
}

// nativeBound returns the longest duration of a native bucket.
func nativeBound(index int) time.Duration {
	return time.Duration(math.Floor(math.Exp2(float64(index)/perOctave) * float64(time.Second)))
}

// cellOf returns the cell of a duration, which is not negative.
func cellOf(d time.Duration) int {
	i := int(table.first[bits.Len64(uint64(d))])
	for i < cells-1 && table.cells[i].upTo < d {
		i++
	}
	return i
}
