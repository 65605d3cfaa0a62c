package actors

// squeeze decides which part of what may be in memory may be there while memory is short: it falls quickly as memory gets near its limit and rises slowly where there is room again. In
// between it stays, so that it does not go to and fro.
type squeeze struct {
	share float64 // 1: all of it
	cycle uint64  // of the collector's cycles, the last that was looked at
}

const (
	// squeezeAbove is the part of the limit above which it falls; squeezeHard that above which it falls faster.
	squeezeAbove, squeezeHard = 0.85, 0.95
	// easeBelow is the part of the limit below which it rises.
	easeBelow = 0.70
	// squeezeLeast is as far as it falls.
	squeezeLeast = 1.0 / 64
	// easeBy is how much it rises at a time.
	easeBy = 1.0 / 16
)

// memoryUse is how much memory the process needs, whatever it has besides.
type memoryUse struct {
	used  uint64 // what the collector found alive when it last looked, and what is not the heap's
	limit uint64 // 0: none
	cycle uint64 // counts the collector's cycles: used says nothing new within one
}

// look takes in how much memory is used, and returns the share. What left memory is not missing from that before the collector has looked again, so each of its cycles counts once.
func (s *squeeze) look(m memoryUse) float64 {
	if m.limit == 0 {
		s.share = 1
		return s.share
	}
	if m.cycle == s.cycle {
		return s.share
	}
	s.cycle = m.cycle
	switch part := float64(m.used) / float64(m.limit); {
	case part > squeezeHard:
		s.share = max(squeezeLeast, s.share/2)
	case part > squeezeAbove:
		s.share = max(squeezeLeast, s.share*3/4)
	case part < easeBelow:
		s.share = min(1, s.share+easeBy)
	}
	return s.share
}
