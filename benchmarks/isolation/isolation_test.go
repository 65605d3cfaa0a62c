package isolation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// small is a measurement of about a second.
func small(t *testing.T) Config {
	t.Helper()
	return Config{
		Rate: 1000, HotPerShard: 1, Doomed: 300, Members: 2, Before: 200 * time.Millisecond, After: 50 * time.Millisecond,
		Limit: 20 * time.Second, Rounds: 1, Window: 50 * time.Millisecond, Dir: t.TempDir(),
	}
}

func TestEveryDesignDeletesEverythingAndAnswersEveryProposal(t *testing.T) {
	config := small(t)
	result, err := Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for d := range result.Series {
		s := &result.Series[d]
		if s.Design != Design(d) || s.Left != 0 || s.Refused != 0 || len(s.Deleted) != 1 {
			t.Errorf("%v: %d conversations left, %d proposals refused, %d turns, want 0, 0, 1", s.Design, s.Left, s.Refused, len(s.Deleted))
		}
		var inWindows int64
		for _, window := range s.Windows {
			inWindows += window.Count()
		}
		if during := s.During.Count(); during == 0 || inWindows < s.Before.Count()+during {
			t.Errorf("%v: %d latencies in windows, %d before and %d during the expiry", s.Design, inWindows, s.Before.Count(), during)
		}
		if p50, p99 := s.During.Quantile(0.5), s.During.Quantile(0.99); p50 <= 0 || p99 < p50 || p99 > time.Minute {
			t.Errorf("%v: p50 %v, p99 %v", s.Design, p50, p99)
		}
	}
	var table strings.Builder
	if err := result.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"inline in propose", "reaper, unpaced", "reaper, paced", "p99.9"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, table.String())
		}
	}
}

func TestACancelledMeasurementEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, small(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestAMeasurementThatCannotBeIsRefused(t *testing.T) {
	for name, config := range map[string]Config{
		"negative rate":     {Rate: -1},
		"too many members":  {Members: 1001},
		"limit before":      {Before: time.Second, Limit: time.Second},
		"negative window":   {Window: -time.Second},
		"negative interval": {After: -time.Second},
	} {
		if _, err := Run(t.Context(), config); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func TestLatenciesAreSortedByWhenTheyWereDue(t *testing.T) {
	r := &run{interval: 10 * time.Millisecond, doomed: 3, latencies: make([]time.Duration, 40)}
	for i := range r.latencies {
		r.latencies[i] = time.Duration(i+1) * time.Millisecond
	}
	r.latencies[0] = 0   // not sent
	r.latencies[12] = -1 // refused
	r.overAt.Store(int64(300 * time.Millisecond))
	s := &Series{Before: newHistogram(), During: newHistogram()}
	s.add(r, len(r.latencies), Config{Before: 100 * time.Millisecond, Window: 200 * time.Millisecond})
	if s.Before.Count() != 9 || s.During.Count() != 19 || s.Refused != 1 || s.Left != 0 {
		t.Errorf("%d before, %d during, %d refused, %d left, want 9, 19, 1, 0", s.Before.Count(), s.During.Count(), s.Refused, s.Left)
	}
	if len(s.Windows) != 2 || s.Windows[0].Count() != 18 || s.Windows[1].Count() != 20 {
		t.Errorf("%d windows of %d and %d, want 2 of 18 and 20", len(s.Windows), s.Windows[0].Count(), s.Windows[1].Count())
	}
	if most := s.Before.Quantile(1); most < 10*time.Millisecond || most > 10*time.Millisecond*1001/1000 {
		t.Errorf("the longest before is %v, want 10ms to three digits", most)
	}
	if took := s.Deleted[0]; took != 200*time.Millisecond {
		t.Errorf("deleted after %v, want 200ms", took)
	}
}

func TestATurnThatDoesNotFinishSaysWhatIsLeft(t *testing.T) {
	r := &run{interval: 10 * time.Millisecond, doomed: 5, latencies: make([]time.Duration, 40)}
	r.deleted(3)
	s := &Series{Before: newHistogram(), During: newHistogram()}
	s.add(r, 40, Config{Before: 100 * time.Millisecond, Window: 200 * time.Millisecond})
	if s.Left != 2 || s.Deleted[0] != 300*time.Millisecond {
		t.Errorf("%d left after %v, want 2 after 300ms", s.Left, s.Deleted[0])
	}
}

func TestAShiftedClockGoesAsFastAsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newShifted(born())
		fired := make(chan time.Time, 1)
		c.AfterFunc(time.Minute, func() { fired <- c.Now() })
		stopped := c.AfterFunc(time.Second, func() { t.Error("a stopped timer fired") })
		if !stopped.Stop() {
			t.Error("the timer was not stopped in time")
		}
		if at := <-fired; !at.Equal(born().Add(time.Minute)) {
			t.Errorf("the timer fired at %v, want a minute after %v", at, born())
		}
	})
}
