package actors

import (
	"sync"
	"time"

	"github.com/parley-im/parley/persistence"
)

// strain knows what deletions do to proposals: how long the journal's batches take to get into the store these days, against those that had no deletion beside them. A proposal that
// waits for AckCommitted waits for one or two of these, and they go through the same committer as deletions do, so that is where it would feel them. Comparing what happens at about the
// same time tells the reaper's part from a busier hour's, or a slower disk's.
//
// Any goroutine may call it.
type strain struct {
	mu        sync.Mutex
	deletions int                 // being written
	began     persistence.Instant // of the journal's batch that is being written; 0: there is none
	beside    bool                // a deletion was under way during it
	all       average             // of what batches took
	quiet     average             // of those without a deletion beside them
	last      persistence.Instant // when a batch ended
	crowd     average             // proposals waiting while there was no deletion
}

// feeling is a reading of a strain.
type feeling struct {
	Felt, Quiet time.Duration // what the journal's batches take, and what they take without deletions; 0: it is not known
	Waiting     int           // proposals that were accepted and not applied yet
	Crowd       int           // how many that are without deletions
	Fill        float64       // how full the journal is, from 0 to 1
	Late        time.Duration // how long the oldest generation could have been gone
}

// average is a moving one, that the last samples make up most of: as many as it is given as its width, about. The first samples count the same each.
type average struct {
	value   float64
	samples float64
}

func (a *average) add(v, width float64) {
	a.samples = min(a.samples+1, width)
	a.value += (v - a.value) / a.samples
}

const (
	// strainWidth and quietWidth are how many samples count: what is felt is of the last moments, what is compared with it of a longer while.
	strainWidth, quietWidth = 16, 64
	// outlier is how many times the quiet time a sample counts at most: a disk that stands still for a moment does so without the reaper as well.
	outlier = 8
	// strainAge is for how long what was felt last is still felt: a few of the journal's intervals.
	strainAge = 250 * time.Millisecond
)

func (s *strain) flushBegan(now persistence.Instant, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.beside = now, s.deletions > 0
	if !s.beside {
		s.crowd.add(float64(waiting), quietWidth)
	}
}

// flushEnded takes a sample. A batch that failed says nothing about deletions.
func (s *strain) flushEnded(now persistence.Instant, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := float64(now.Sub(s.began))
	beside := s.beside
	s.began, s.last = 0, now
	if failed {
		return
	}
	if s.quiet.samples > 0 {
		took = min(took, outlier*max(s.quiet.value, float64(time.Millisecond)))
	}
	s.all.add(took, strainWidth)
	if !beside {
		s.quiet.add(took, quietWidth)
	}
}

func (s *strain) deletionBegan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deletions++
	s.beside = true
}

func (s *strain) deletionEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deletions--
}

// read returns what is felt now. A batch that has been under way for longer than they usually take counts already.
func (s *strain) read(now persistence.Instant) (f feeling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Quiet, f.Crowd = time.Duration(s.quiet.value), int(s.crowd.value)
	if s.began != 0 || now.Sub(s.last) < strainAge {
		f.Felt = time.Duration(s.all.value)
	}
	if s.began != 0 && s.beside {
		f.Felt = max(f.Felt, now.Sub(s.began))
	}
	if s.quiet.samples == 0 {
		f.Quiet = 0
	}
	return f
}
