package persistence_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func TestInstantsAreMicrosecondsRoundedDown(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want persistence.Instant
	}{
		{time.Unix(1, 0), 1_000_000},
		{time.Unix(1, 1_999), 1_000_001},
		{time.Unix(0, -1), -1},
		{time.Unix(0, -1_000), -1},
		{time.Unix(0, -1_001), -2},
		{time.Date(2024, 2, 29, 12, 0, 0, 7_000, time.FixedZone("east", 3600)), 1_709_204_400_000_007},
		{time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), 253_402_300_799_999_999},
		{time.Time{}, 0},
	} {
		if got := persistence.InstantOf(c.at); got != c.want {
			t.Errorf("InstantOf(%v) = %d; want %d", c.at, got, c.want)
		}
	}
}

func TestNoTimeAndNeverAreTheZeroTime(t *testing.T) {
	for _, i := range []persistence.Instant{0, persistence.Never} {
		if got := i.Time(); !got.IsZero() {
			t.Errorf("Instant(%d).Time() = %v; want the zero time", i, got)
		}
	}
}

func TestAnInstantComesBackFromItsTime(t *testing.T) {
	year9999 := int64(253_402_300_799_999_999)
	rapid.Check(t, func(t *rapid.T) {
		i := persistence.Instant(rapid.Int64Range(-year9999, year9999).Draw(t, "instant"))
		at := i.Time()
		if got := persistence.InstantOf(at); got != i {
			t.Fatalf("InstantOf(Instant(%d).Time()) = %d", i, got)
		}
		if at.Location() != time.UTC {
			t.Fatalf("Instant(%d).Time() is in %v; want UTC", i, at.Location())
		}
	})
}

func TestInstantsOrderAsTheirTimesDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-1<<36, 1<<36)
		a := time.Unix(seconds.Draw(t, "a"), rapid.Int64Range(0, 999_999_999).Draw(t, "a ns"))
		b := a.Add(time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "later by")))
		if persistence.InstantOf(a) > persistence.InstantOf(b) {
			t.Fatalf("%v is %d and the later %v is %d", a, persistence.InstantOf(a), b, persistence.InstantOf(b))
		}
	})
}

func TestAddDropsFractionsAndStopsAtNever(t *testing.T) {
	for _, c := range []struct {
		from persistence.Instant
		d    time.Duration
		want persistence.Instant
	}{
		{10, time.Microsecond, 11},
		{10, 1_999, 11},
		{10, -time.Microsecond, 9},
		{10, -1_999, 9},
		{10, 0, 10},
		{10, math.MaxInt64, 10 + math.MaxInt64/1_000},
		{persistence.Never, time.Hour, persistence.Never},
		{persistence.Never, -time.Hour, persistence.Never},
		{persistence.Never - 1, time.Microsecond, persistence.Never},
		{persistence.Never - 1, time.Hour, persistence.Never},
		{persistence.Never - 1, 999, persistence.Never - 1},
	} {
		if got := c.from.Add(c.d); got != c.want {
			t.Errorf("Instant(%d).Add(%v) = %d; want %d", c.from, c.d, got, c.want)
		}
	}
}

func TestSubUndoesAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := persistence.Instant(rapid.Int64Range(-1<<60, 1<<60).Draw(t, "instant"))
		d := time.Duration(rapid.Int64Range(-math.MaxInt64/1_000, math.MaxInt64/1_000).Draw(t, "microseconds")) * time.Microsecond
		if got := i.Add(d).Sub(i); got != d {
			t.Fatalf("Instant(%d).Add(%v).Sub itself = %v", i, d, got)
		}
	})
}

func TestSubStopsAtTheLongestDuration(t *testing.T) {
	const longest, shortest = time.Duration(math.MaxInt64), time.Duration(math.MinInt64)
	for _, c := range []struct {
		i, j persistence.Instant
		want time.Duration
	}{
		{persistence.Never, 1_600_000_000_000_000, longest},
		{persistence.Never, -1, longest},
		{1_600_000_000_000_000, persistence.Never, shortest},
		{math.MinInt64, persistence.Never, shortest},
		{persistence.Never, persistence.Never, 0},
		{math.MaxInt64 / 1_000, 0, math.MaxInt64 / 1_000 * time.Microsecond},
		{math.MaxInt64/1_000 + 1, 0, longest},
		{math.MinInt64 / 1_000, 0, math.MinInt64 / 1_000 * time.Microsecond},
		{math.MinInt64/1_000 - 1, 0, shortest},
	} {
		if got := c.i.Sub(c.j); got != c.want {
			t.Errorf("Instant(%d).Sub(%d) = %v; want %v", c.i, c.j, got, c.want)
		}
	}
}
