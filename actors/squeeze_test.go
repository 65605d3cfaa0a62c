package actors

import "testing"

func TestTheShareFallsWhileMemoryIsShortAndRisesWhereThereIsRoom(t *testing.T) {
	s := squeeze{share: 1}
	cycle := uint64(0)
	look := func(used uint64) float64 {
		cycle++
		return s.look(memoryUse{used: used, limit: 1000, cycle: cycle})
	}
	for _, step := range []struct {
		used uint64
		want float64
	}{
		{500, 1}, {840, 1}, {860, 0.75}, {900, 0.5625}, {960, 0.28125}, {800, 0.28125}, {710, 0.28125}, {690, 0.34375}, {100, 0.40625},
	} {
		if got := look(step.used); got != step.want {
			t.Errorf("at %d of 1000 the share is %v, want %v", step.used, got, step.want)
		}
	}
	for range 20 {
		look(2000)
	}
	if s.share != squeezeLeast {
		t.Errorf("after a long time above the limit the share is %v, want %v", s.share, squeezeLeast)
	}
	for range 20 {
		look(0)
	}
	if s.share != 1 {
		t.Errorf("after a long time of room the share is %v, want 1", s.share)
	}
}

func TestEachCycleOfTheCollectorCountsOnce(t *testing.T) {
	s := squeeze{share: 1}
	for range 5 {
		s.look(memoryUse{used: 900, limit: 1000, cycle: 7})
	}
	if s.share != 0.75 {
		t.Errorf("the share is %v, want one step, 0.75: what left memory is not seen before the next cycle", s.share)
	}
}

func TestWithoutALimitThereIsNoSqueeze(t *testing.T) {
	s := squeeze{share: 0.5}
	if got := s.look(memoryUse{used: 900}); got != 1 {
		t.Errorf("the share is %v, want 1", got)
	}
}

func TestTheProcessesMemoryIsBelowAGenerousLimitAndNotNothing(t *testing.T) {
	const limit = 1 << 40
	if m := readMemory(limit); m.used == 0 || m.used >= limit || m.limit != limit {
		t.Errorf("%+v", m)
	}
}
