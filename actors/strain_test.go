package actors

import (
	"testing"
	"time"

	"github.com/parley-im/parley/persistence"
)

// flush has a batch of the journal written that takes a time, with a deletion beside it or not.
func (s *strain) flush(now persistence.Instant, took time.Duration, beside bool) persistence.Instant {
	s.flushBegan(now, 10)
	if beside {
		s.deletionBegan()
		defer s.deletionEnded()
	}
	now = now.Add(took)
	s.flushEnded(now, false)
	return now
}

func TestWhatIsFeltIsComparedWithBatchesThatHadNoDeletionBesideThem(t *testing.T) {
	var s strain
	now := persistence.Instant(1)
	for range 100 {
		now = s.flush(now, 2*time.Millisecond, false)
	}
	if f := s.read(now); f.Felt != 2*time.Millisecond || f.Quiet != 2*time.Millisecond || f.strain() != 1 {
		t.Fatalf("without deletions: %+v, want 2 ms of 2 ms", f)
	}
	for range 100 {
		now = s.flush(now, 6*time.Millisecond, true)
		now = s.flush(now, 2*time.Millisecond, false)
	}
	if f := s.read(now); f.Felt < 3500*time.Microsecond || f.Felt > 4500*time.Microsecond || f.Quiet != 2*time.Millisecond {
		t.Errorf("every other batch takes 6 ms beside a deletion: %+v, want about 4 ms of 2 ms", f)
	}
}

func TestABusierHourIsNotTheReapers(t *testing.T) {
	var s strain
	now := persistence.Instant(1)
	for range 100 {
		now = s.flush(now, 2*time.Millisecond, false)
	}
	for range 200 {
		now = s.flush(now, 10*time.Millisecond, true)
		now = s.flush(now, 10*time.Millisecond, false)
	}
	if f := s.read(now); f.strain() > roomy {
		t.Errorf("batches got slower whether or not there are deletions, which is felt as %v: %+v", f.strain(), f)
	}
}

func TestABatchThatHangsBesideADeletionIsFeltBeforeItEnds(t *testing.T) {
	var s strain
	now := persistence.Instant(1)
	for range 100 {
		now = s.flush(now, 2*time.Millisecond, false)
	}
	s.flushBegan(now, 10)
	now = now.Add(time.Second)
	if f := s.read(now); f.strain() > roomy {
		t.Errorf("a batch hangs by itself, which is felt as %v", f.strain())
	}
	s.deletionBegan()
	if f := s.read(now); f.Felt < time.Second || f.strain() <= crowded {
		t.Errorf("a batch hangs beside a deletion, which is felt as %v: %+v", f.strain(), f)
	}
}

func TestASingleStallDoesNotCountForAllOfThem(t *testing.T) {
	var s strain
	now := persistence.Instant(1)
	for range 100 {
		now = s.flush(now, 2*time.Millisecond, false)
	}
	now = s.flush(now, 10*time.Second, false)
	if f := s.read(now); f.Felt > 4*time.Millisecond || f.Quiet > 4*time.Millisecond {
		t.Errorf("after one stall of ten seconds: %+v, want about as before", f)
	}
}

func TestWhatWasFeltLongAgoIsNotFelt(t *testing.T) {
	var s strain
	now := persistence.Instant(1)
	for range 100 {
		now = s.flush(now, 2*time.Millisecond, false)
		now = s.flush(now, 20*time.Millisecond, true)
	}
	if f := s.read(now.Add(2 * strainAge)); f.Felt != 0 || f.strain() != 1 {
		t.Errorf("nobody has proposed anything for a while: %+v, want nothing felt", f)
	}
}

func TestABatchThatFailedSaysNothing(t *testing.T) {
	var s strain
	s.flushBegan(1, 0)
	s.flushEnded(persistence.Instant(1).Add(time.Minute), true)
	if f := s.read(persistence.Instant(1).Add(time.Minute)); f.Quiet != 0 || f.Felt != 0 {
		t.Errorf("%+v, want nothing", f)
	}
}
