package actors

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

func TestTheEngineClockIsNeverBehindWhatTheStoreHasSeen(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	now := persistence.InstantOf(start)
	for _, test := range []struct {
		name string
		seen persistence.Instant
		want persistence.Instant
	}{
		{"a store that has seen nothing", 0, now},
		{"a store that has seen earlier times", now.Add(-time.Hour), now},
		{"a store that has seen just this time", now, now},
		{"a store that has seen a microsecond more", now + 1, now + 1},
		{"a store that comes from a clock far ahead", now.Add(1000 * time.Hour), now.Add(1000 * time.Hour)},
		{"a store that is as old as can be", 1, now},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := clock.NewVirtual(start)
			w := newClockwork(v, test.seen)
			if got := w.now(); got != test.want {
				t.Errorf("at first: got %v, want %v", got.Time(), test.want.Time())
			}
			// From there it goes as fast as the clock below.
			v.Advance(start.Add(90 * time.Minute))
			if got := w.now(); got != test.want.Add(90*time.Minute) {
				t.Errorf("after 90 minutes: got %v, want %v", got.Time(), test.want.Add(90*time.Minute).Time())
			}
		})
	}
}

func TestAnEngineClockMayStandBeforeTheEpoch(t *testing.T) {
	start := time.Unix(-1_000_000, 0)
	if got, want := newClockwork(clock.NewVirtual(start), 0).now(), persistence.InstantOf(start); got != want {
		t.Errorf("with a store that has seen nothing: got %d, want %d", got, want)
	}
	if got := newClockwork(clock.NewVirtual(start), 1).now(); got != 1 {
		t.Errorf("with a store that has seen 1: got %d, want 1", got)
	}
}
