package conversation

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// group is numbers that are packed together: first how many bytes each takes, of four bits each, then those bytes. Most are small, or zero, which takes none. It is read and written without
// a branch for each byte, or for each number.
type group [8]uint64

const (
	groupWidths = 4
	// groupSlack is how many bytes there must be behind a group: a number is read with those that follow, and cut.
	groupSlack = 8
	maxGroup   = groupWidths + len(group{})*8
)

// append appends the group to b.
func (g *group) append(b []byte) []byte {
	b = slices.Grow(b, maxGroup)
	out := b[len(b) : len(b)+maxGroup]
	widths, at := uint32(0), groupWidths
	for i, v := range g {
		width := (bits.Len64(v) + 7) / 8
		binary.LittleEndian.PutUint64(out[at:], v)
		widths |= uint32(width) << (4 * i)
		at += width
	}
	binary.LittleEndian.PutUint32(out, widths)
	return b[:len(b)+at]
}

// read reads a group from the beginning of b, and returns what follows.
func (g *group) read(b []byte) []byte {
	widths, at := binary.LittleEndian.Uint32(b), groupWidths
	for i := range g {
		width := int(widths & 15)
		widths >>= 4
		g[i] = binary.LittleEndian.Uint64(b[at:]) & (1<<(8*width) - 1)
		at += width
	}
	return b[at:]
}

// apart is how far a is from b, such that it is small where they are near: whichever is the larger, and whatever they are.
func apart[T ~int64 | ~uint64](a, b T) uint64 {
	d := int64(a - b)
	return uint64(d<<1) ^ uint64(d>>63)
}

// near is what is so far apart from b.
func near[T ~int64 | ~uint64](b T, apart uint64) T { return b + T(int64(apart>>1)^-int64(apart&1)) }

// since is apart for a time that may be zero, which stands for none and takes nothing.
func since(at, base persistence.Instant) uint64 {
	if at == 0 {
		return 0
	}
	return apart(at, base) + 1
}

// after is the time of which since was made.
func after(base persistence.Instant, since uint64) persistence.Instant {
	if since == 0 {
		return 0
	}
	return near(base, since-1)
}

// minutesSince is since for where an entry stands: so many minutes before that of the base, most of the time, which takes one byte then.
func minutesSince(at, base persistence.Instant) uint64 {
	if at == 0 {
		return 0
	}
	if d := at - minuteOf(base); d%minute == 0 {
		return apart(d/minute, 0)<<1 + 1
	}
	return apart(at, minuteOf(base))<<1 + 2
}

// minutesAfter is the time of which minutesSince was made.
func minutesAfter(base persistence.Instant, since uint64) persistence.Instant {
	switch {
	case since == 0:
		return 0
	case since&1 == 1:
		return minuteOf(base) + near(persistence.Instant(0), since>>1)*minute
	}
	return near(minuteOf(base), since>>1-1)
}
