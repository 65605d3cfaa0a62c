package clock_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/clock"
)

var epoch = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)

func TestAVirtualClockStandsStill(t *testing.T) {
	v := clock.NewVirtual(epoch)
	v.AfterFunc(-time.Hour, func() { t.Error("a timer was called without an Advance") })
	if got := v.Now(); !got.Equal(epoch) {
		t.Fatalf("Now() = %v; want %v", got, epoch)
	}
}

func TestAVirtualClockNeverGoesBack(t *testing.T) {
	v := clock.NewVirtual(epoch)
	v.Advance(epoch.Add(time.Hour))
	v.Advance(epoch)
	if got := v.Now(); !got.Equal(epoch.Add(time.Hour)) {
		t.Fatalf("after an Advance to the past Now() = %v; want %v", got, epoch.Add(time.Hour))
	}
}

func TestVirtualTimersFireInOrderOfTimeThenOfMaking(t *testing.T) {
	v := clock.NewVirtual(epoch)
	var fired []string
	for _, timer := range []struct {
		name string
		d    time.Duration
	}{{"late", 3}, {"equal, made first", 2}, {"equal, made second", 2}, {"past", -1}, {"now", 0}, {"equal, made third", 2}, {"beyond", 4}} {
		v.AfterFunc(timer.d, func() { fired = append(fired, timer.name) })
	}
	if n := v.Advance(epoch.Add(3)); n != 6 {
		t.Errorf("Advance called %d timers; want 6", n)
	}
	want := []string{"past", "now", "equal, made first", "equal, made second", "equal, made third", "late"}
	if diff := cmp.Diff(want, fired); diff != "" {
		t.Fatalf("order (-want +got):\n%s", diff)
	}
}

func TestACallbackSeesWhereTheClockWasAdvancedTo(t *testing.T) {
	v := clock.NewVirtual(epoch)
	var seen []time.Duration
	look := func() { seen = append(seen, v.Now().Sub(epoch)) }
	v.AfterFunc(1, look)
	v.AfterFunc(2, look)
	v.AfterFunc(5, look)
	v.Advance(epoch.Add(3))
	next, ok := v.Next()
	if !ok {
		t.Fatal("Next() = false with a timer waiting")
	}
	v.Advance(next)
	if diff := cmp.Diff([]time.Duration{3, 3, 5}, seen); diff != "" {
		t.Fatalf("times (-want +got):\n%s", diff)
	}
}

func TestATimerMadeInACallbackFiresInTheSameAdvanceWhereItIsDue(t *testing.T) {
	v := clock.NewVirtual(epoch)
	var fired []string
	v.AfterFunc(1, func() {
		v.AfterFunc(0, func() { fired = append(fired, "due already") })
		v.AfterFunc(1, func() { fired = append(fired, "due later") })
	})
	v.AfterFunc(2, func() { fired = append(fired, "made before") })
	if n := v.Advance(epoch.Add(2)); n != 3 {
		t.Errorf("Advance called %d timers; want 3", n)
	}
	if diff := cmp.Diff([]string{"made before", "due already"}, fired); diff != "" {
		t.Fatalf("order (-want +got):\n%s", diff)
	}
}

func TestACallbackCanStopATimerThatIsDueInTheSameAdvance(t *testing.T) {
	v := clock.NewVirtual(epoch)
	var victim clock.Timer
	stopped := false
	v.AfterFunc(1, func() { stopped = victim.Stop() })
	victim = v.AfterFunc(1, func() { t.Error("a stopped timer was called") })
	if n := v.Advance(epoch.Add(1)); n != 1 || !stopped {
		t.Fatalf("Advance called %d timers, and Stop() = %v; want 1 and true", n, stopped)
	}
}

func TestAVirtualTimerCannotBeStoppedFromWithinOrAfterItsCallback(t *testing.T) {
	v := clock.NewVirtual(epoch)
	var timer clock.Timer
	timer = v.AfterFunc(1, func() {
		if timer.Stop() {
			t.Error("Stop() = true within the callback")
		}
	})
	v.Advance(epoch.Add(1))
	if timer.Stop() {
		t.Error("Stop() = true after the callback")
	}
	other := v.AfterFunc(1, func() { t.Error("a stopped timer was called") })
	if !other.Stop() || other.Stop() {
		t.Error("Stop() twice gave not true, then false")
	}
	if next, ok := v.Next(); ok {
		t.Errorf("Next() = %v with no timer waiting", next)
	}
	v.Advance(epoch.Add(time.Hour))
}

// virtualModel keeps timers in a plain list.
type virtualModel struct {
	clock  *clock.Virtual
	now    time.Time
	timers []*modelTimer // in the order of their making
	fired  []*modelTimer
}

type modelTimer struct {
	at    time.Time
	timer clock.Timer
}

func (m *virtualModel) make(t *rapid.T) {
	d := time.Duration(rapid.IntRange(-2, 8).Draw(t, "d"))
	timer := &modelTimer{at: m.now.Add(d)}
	timer.timer = m.clock.AfterFunc(d, func() { m.fired = append(m.fired, timer) })
	m.timers = append(m.timers, timer)
}

func (m *virtualModel) stop(t *rapid.T) {
	if len(m.timers) == 0 {
		t.Skip("no timers")
	}
	i := rapid.IntRange(0, len(m.timers)-1).Draw(t, "which")
	if !m.timers[i].timer.Stop() || m.timers[i].timer.Stop() {
		t.Fatal("Stop() twice of a waiting timer gave not true, then false")
	}
	m.timers = slices.Delete(m.timers, i, i+1)
}

func (m *virtualModel) advance(t *rapid.T) {
	to := m.now.Add(time.Duration(rapid.IntRange(-2, 6).Draw(t, "by")))
	if to.After(m.now) {
		m.now = to
	}
	var due, left []*modelTimer
	for _, timer := range m.timers {
		if timer.at.After(m.now) {
			left = append(left, timer)
		} else {
			due = append(due, timer)
		}
	}
	slices.SortStableFunc(due, func(a, b *modelTimer) int { return a.at.Compare(b.at) })
	m.timers, m.fired = left, nil
	if n := m.clock.Advance(to); n != len(due) || !slices.Equal(m.fired, due) {
		t.Fatalf("Advance called %d timers, %v; want %d, %v", n, m.fired, len(due), due)
	}
	for _, timer := range due {
		if timer.timer.Stop() {
			t.Fatal("a timer that fired was stopped")
		}
	}
}

func (m *virtualModel) check(t *rapid.T) {
	if got := m.clock.Now(); !got.Equal(m.now) {
		t.Fatalf("Now() = %v; want %v", got, m.now)
	}
	next, ok := m.clock.Next()
	if ok != (len(m.timers) > 0) {
		t.Fatalf("Next() says %v with %d timers waiting", ok, len(m.timers))
	}
	if !ok {
		return
	}
	earliest := slices.MinFunc(m.timers, func(a, b *modelTimer) int { return a.at.Compare(b.at) })
	if !next.Equal(earliest.at) {
		t.Fatalf("Next() = %v; want %v", next, earliest.at)
	}
}

func TestAVirtualClockBehavesAsAListOfTimers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &virtualModel{clock: clock.NewVirtual(epoch), now: epoch}
		t.Repeat(map[string]func(*rapid.T){"make": m.make, "stop": m.stop, "advance": m.advance, "": m.check})
	})
}
