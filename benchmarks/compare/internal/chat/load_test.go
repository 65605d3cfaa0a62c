package chat

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
)

func TestNoMoreIsUnderWayThanTheWindowAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWindow()
		taken := 0
		go func() {
			for range tokens + 1 {
				taken += w.Take()
			}
		}()
		synctest.Wait()
		if taken != tokens*perToken {
			t.Fatalf("%d were taken, want %d", taken, tokens*perToken)
		}
		for range perToken {
			w.Done()
		}
		synctest.Wait()
		if taken != (tokens+1)*perToken {
			t.Fatalf("%d were taken once %d were done, want so many more", taken, perToken)
		}
		for range tokens * perToken {
			w.Done()
		}
		w.Drain()
		if w.Count() != int64(taken) {
			t.Errorf("%d were done, want %d", w.Count(), taken)
		}
	})
}

// sleep waits in virtual time, which does not go on while somebody is at work.
func sleep(until time.Time) { time.Sleep(time.Until(until)) }

func TestAStallCountsForAllThatWereDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := NewOpen(1000, 2*time.Second)
		load.wait = sleep
		speaker := NewSpeakers(NewPopulation(10, 1), 0, 1)[0]
		err := load.Run(t.Context(), speaker, 0, func(p *actors.Proposal, _ int) {
			if p.Tag == 500 {
				time.Sleep(time.Second) // virtual: nothing is dealt with for a second
			}
			load.Done(p.Tag, false)
		})
		if err != nil {
			t.Fatal(err)
		}
		// Half of the two thousand were due while it lasted: the first of them waited for all of it, the last for nothing.
		for q, want := range map[float64]time.Duration{0.4: 0, 0.75: 500 * time.Millisecond, 0.999: 998 * time.Millisecond} {
			if got := load.Quantile(q); got < want-2*time.Millisecond || got > want+2*time.Millisecond {
				t.Errorf("quantile %v: %v, want about %v", q, got, want)
			}
		}
	})
}

func TestARefusalCountsAsTheWholeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := NewOpen(100, time.Second)
		load.wait = sleep
		speaker := NewSpeakers(NewPopulation(10, 1), 0, 1)[0]
		if err := load.Run(t.Context(), speaker, 0, func(p *actors.Proposal, _ int) { load.Done(p.Tag, p.Tag%10 == 0) }); err != nil {
			t.Fatal(err)
		}
		figures := load.Figures()
		if figures["refused"] != 10 || figures["p99"] != 1000 || figures["p50"] != 0 {
			t.Errorf("%v, want a tenth refused, a p99 of a second and a p50 of nothing", figures)
		}
	})
}

func TestWhatACallFailsOfEndsTheCalls(t *testing.T) {
	wrong := errors.New("wrong")
	speakers := NewSpeakers(NewPopulation(10, 1), 0, 2)
	if _, err := Call(speakers, time.Hour, func(*Speaker) (int, error) { return 0, wrong }); !errors.Is(err, wrong) {
		t.Errorf("got error %v", err)
	}
}
