package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// multitude begins n conversations of two members, all in the same instant.
func multitude(t *testing.T, e *actorstest.Engine, n int) {
	t.Helper()
	for done := 0; done < n; {
		var batch []*actors.Proposal
		for len(batch) < 500 && done < n {
			batch = append(batch, &actors.Proposal{
				Conversation: fmt.Sprintf("group:%d", done), Change: &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}},
			})
			done++
		}
		replies, err := e.ProposeBatch(t.Context(), batch)
		for i := range replies {
			err = errors.Join(err, replies[i].Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// overdue begins n conversations and brings the engine to a start at which their deadlines are long over.
func overdue(t *testing.T, e *actorstest.Engine, n int) {
	t.Helper()
	multitude(t, e, n)
	e.Advance(time.Hour - time.Minute)
	e.Break(actorstest.WritesFail(nil))
	e.Advance(10 * time.Minute)
	if got := e.Stats().Reaper.Expired; got != 0 {
		t.Fatalf("%d were deleted before the start", got)
	}
	e.Crash()
}

func TestABacklogAtTheStartIsSmearedAndNobodyWaitsForIt(t *testing.T) {
	const n, pending, rate = 3_000, 512, 8_000
	config := hourly()
	config.Reaper = actors.ReaperConfig{MinRowsPerSecond: rate, MaxRowsPerSecond: rate, MaxPending: pending}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		overdue(t, e, n)
		began := time.Now()
		if r := e.Post("group:new", "ann", 1); r.Err != nil || time.Since(began) > 0 {
			t.Fatalf("a post at once: %+v after %v, want an answer at once", r, time.Since(began))
		}
		if v := e.View("group:7", "ann"); v != nil {
			t.Fatalf("what is over is shown: %+v", v)
		}
		var before actors.ReaperStats
		most := 0
		for e.Stats().Reaper.Expired < n {
			e.Advance(100 * time.Millisecond)
			s := e.Stats()
			r := s.Reaper
			if r.Pending > pending {
				t.Fatalf("%d generations are held in memory, want at most %d", r.Pending, pending)
			}
			if ahead := int(r.Judged - r.Expired); ahead > pending {
				t.Fatalf("%d generations were judged ahead of their deletion, want at most %d", ahead, pending)
			}
			if s.Cells.Active > 1 {
				t.Fatalf("%d conversations were brought into memory, want none but the new one", s.Cells.Active)
			}
			if most = max(most, r.Backlog); before.ETA != 0 && r.ETA >= before.ETA && r.Backlog >= before.Backlog {
				t.Fatalf("after %v: ETA %v, backlog %d; before %v and %d: neither falls", time.Since(began), r.ETA, r.Backlog, before.ETA, before.Backlog)
			}
			if r.Backlog > 1000 && r.HeldBy != actors.HeldByPace {
				t.Fatalf("the backlog is held by %q, want the pace", r.HeldBy)
			}
			if r.Backlog > 1000 && before.Backlog > 1000 && (r.Rate > rate*1.15 || r.Rate < rate*0.7) {
				t.Fatalf("the rate is %v rows a second, want about %v", r.Rate, rate)
			}
			before = r
			if time.Since(began) > time.Minute {
				t.Fatalf("after a minute %d are left: %+v", n-r.Expired, r)
			}
		}
		if most < n*3/4 || most > n {
			t.Errorf("the backlog was counted as %d, want about %d", most, n)
		}
		rows := float64(e.Stats().Reaper.Rows)
		if took := time.Since(began).Seconds(); took < 0.9*rows/rate || took > 1.2*rows/rate+1 {
			t.Errorf("it took %.1f s to delete %v rows, want %.1f", took, rows, rows/rate)
		}
		e.Advance(time.Second)
		if r := e.Stats().Reaper; r.Backlog != 0 || r.ETA != 0 || r.HeldBy != actors.HeldByNothing {
			t.Errorf("in the end: %+v, want no backlog", r)
		}
	})
}

func TestThousandsThatExpireInTheSameInstantAreGoneInASecondAndAHalf(t *testing.T) {
	n := 10_000
	if racing.Enabled {
		n = 2_000
	}
	actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
		multitude(t, e, n)
		e.Advance(time.Hour + 1500*time.Millisecond)
		r := e.Stats().Reaper
		if int(r.Expired) != n || r.Pending != 0 {
			t.Fatalf("a second and a half after their deadline %d of %d are gone: %+v", r.Expired, n, r)
		}
	})
}

// talkOn posts to one conversation every millisecond or two, and waits for each to be committed, until it is told to stop.
func talkOn(t *testing.T, e *actorstest.Engine) (stop func()) {
	t.Helper()
	quit, stopped := make(chan struct{}), make(chan struct{})
	first := uint64(time.Now().UnixMicro())
	go func() {
		defer close(stopped)
		for n := uint64(0); ; n++ {
			join := &conversation.Join{Users: []string{fmt.Sprint(first + n)}}
			if _, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:hot", Change: join}); err != nil {
				t.Error(err)
			}
			select {
			case <-quit:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-stopped })
}

// Every write takes its time, one after the other, so that a batch of the journal beside one of deletions takes twice as long. Nothing is late.
func TestThePaceFallsWhileProposalsFeelItAndRisesWhileThereAreNone(t *testing.T) {
	const n, least, most = 4_000, 2_000, 60_000
	config := hourly()
	config.Reaper = actors.ReaperConfig{MinRowsPerSecond: least, MaxRowsPerSecond: most, MaxPending: 1024, BatchRows: 100, MaxLateness: time.Hour}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		overdue(t, e, n)
		before := len(e.Turns())
		e.Break(actorstest.WritesTake(4 * time.Millisecond))
		watch := func(d time.Duration) (rate float64) {
			for range int(d / (50 * time.Millisecond)) {
				time.Sleep(50 * time.Millisecond) // virtual: between two looks at a pace that changes while there is work
				if rate = e.Stats().Reaper.Pace; rate < least || rate > most {
					t.Errorf("the pace is %v, want between %d and %d", rate, least, most)
				}
			}
			return rate
		}
		stop := talkOn(t, e)
		felt := watch(400 * time.Millisecond)
		stop()
		alone := watch(700 * time.Millisecond)
		stop = talkOn(t, e)
		again := watch(600 * time.Millisecond)
		stop()
		if alone < 2*felt || again >= alone {
			t.Errorf("the pace was %v, %v while there were no proposals, and %v after that: want it to rise twofold and to fall", felt, alone, again)
		}
		var turns []actors.Turn
		for _, turned := range e.Turns()[before:] {
			turns = append(turns, turned.Turn)
		}
		if want := []actors.Turn{actors.Faster, actors.Slower}; !slices.Equal(turns, want) {
			t.Errorf("it turned %v, want %v", turns, want)
		}
		e.Heal()
		e.Advance(time.Minute)
		if got := e.Stats().Reaper.Expired; got != n {
			t.Errorf("%d were deleted, want %d", got, n)
		}
	})
}

func TestAMinuteWithoutTheStoreCostsNoMoreMemoryAndTenSecondsAfterwards(t *testing.T) {
	const n, pending = 2_000, 256
	config := hourly()
	config.Reaper = actors.ReaperConfig{MaxPending: pending}
	for _, fault := range []struct {
		name string
		actorstest.Fault
	}{{"writes fail", actorstest.WritesFail(nil)}, {"the disk is full", actorstest.DiskIsFull()}, {"answers are lost", actorstest.AnswersAreLost()}} {
		t.Run(fault.name, func(t *testing.T) {
			actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
				multitude(t, e, n)
				e.Advance(time.Hour - time.Second)
				e.Break(fault.Fault)
				for range 60 {
					e.Advance(time.Second)
					if r := e.Stats().Reaper; r.Pending > pending {
						t.Fatalf("%d generations are held in memory, want at most %d", r.Pending, pending)
					}
				}
				r := e.Stats().Reaper
				if r.Err == nil || r.Failures < 20 || r.Failures > 500 || r.HeldBy != actors.HeldByBackOff {
					t.Errorf("after a minute: %d failures, %v, held by %q; want some, told, and the back-off", r.Failures, r.Err, r.HeldBy)
				}
				e.Heal()
				e.Advance(10 * time.Second)
				if got := e.Stats().Reaper.Expired; got != n {
					t.Errorf("ten seconds after the store came back %d of %d are gone", got, n)
				}
			})
		})
	}
}

func TestStatsTellWhatHoldsTheNextBatch(t *testing.T) {
	for _, c := range []struct {
		want   actors.Held
		config actors.ReaperConfig
		fault  *actorstest.Fault
		faults persistencetest.Faults
	}{
		{want: actors.HeldByBatchDelay, config: actors.ReaperConfig{BatchDelay: time.Hour}},
		{want: actors.HeldByPace, config: actors.ReaperConfig{BatchRows: 8, MinRowsPerSecond: 1, MaxRowsPerSecond: 1}},
		{want: actors.HeldByBackOff, faults: persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if deletes(b) {
				return actorstest.ErrBroken
			}
			return nil
		}}},
		{want: actors.HeldByJudging, faults: persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpGet {
				return time.Hour
			}
			return 0
		}}},
	} {
		t.Run(string(c.want), func(t *testing.T) {
			config := hourly()
			config.Reaper, config.IdleAfter = c.config, time.Minute
			actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
				multitude(t, e, 10)
				e.Advance(time.Hour - time.Second)
				e.Store.SetFaults(c.faults)
				e.Advance(1500 * time.Millisecond)
				if r := e.Stats().Reaper; r.HeldBy != c.want {
					t.Errorf("held by %q, want %q: %+v", r.HeldBy, c.want, r)
				}
			})
		})
	}
	t.Run("journal flush", func(t *testing.T) {
		actorstest.Run(t, hourly(), func(t *testing.T, e *actorstest.Engine) {
			r := e.Post("group:1", "ann", 1)
			e.Break(actorstest.WritesHang())
			e.Propose(t.Context(), &actors.Proposal{ //nolint:errcheck // whatever it says, it has ended
				Conversation: "group:1", Change: &conversation.Delete{}, IfGeneration: r.Generation, Ack: actors.AckApplied,
			})
			e.Advance(time.Second)
			if r := e.Stats().Reaper; r.HeldBy != actors.HeldByJournal {
				t.Errorf("held by %q, want the journal: %+v", r.HeldBy, r)
			}
		})
	})
}

func TestSlowCommitsMakeBatchesSmallerAndFastOnesLargerAgain(t *testing.T) {
	config := hourly()
	config.Reaper = actors.ReaperConfig{MaxRowsPerSecond: -1, BatchRows: 400, MaxLateness: time.Hour}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		overdue(t, e, 3_000)
		e.Break(actorstest.WritesTake(200 * time.Millisecond))
		e.Advance(3 * time.Second)
		slow := e.Reaps()
		if len(slow) < 8 || slow[len(slow)-1].Generations > slow[0].Generations/4 {
			t.Fatalf("batches that take 200 ms: %+v, want them smaller and smaller", slow)
		}
		e.Heal()
		e.Advance(10 * time.Second)
		largest := 0
		for _, reap := range e.Reaps()[len(slow):] {
			largest = max(largest, reap.Generations)
		}
		if gone := e.Stats().Reaper.Expired; largest < slow[0].Generations || gone != 3_000 {
			t.Errorf("once they are fast again: up to %d generations, %d are gone; want up to %d as at first, and all", largest, gone, slow[0].Generations)
		}
	})
}

func TestTheNextBatchIsMadeReadyWhileOneIsWritten(t *testing.T) {
	for rate, want := range map[int]int64{-1: 3, 1_000_000: 2} {
		t.Run(fmt.Sprintf("%d rows a second", rate), func(t *testing.T) { wantFlights(t, rate, want) })
	}
}

func wantFlights(t *testing.T, rate int, want int64) {
	t.Helper()
	config := hourly()
	config.Reaper = actors.ReaperConfig{MaxRowsPerSecond: rate, BatchRows: 100}
	if rate > 0 {
		config.Reaper.MinRowsPerSecond = rate
	}
	var under, most atomic.Int64
	config.Observer = &actors.Observer{
		ReapBegin: func(actors.ReapInfo) { most.Store(max(most.Load(), under.Add(1))) },
		ReapEnd:   func(actors.ReapInfo) { under.Add(-1) },
	}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		overdue(t, e, 300)
		release := make(chan struct{})
		held := false
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if deletes(b) && !held {
				held = true
				<-release
			}
			return nil
		}})
		e.Advance(time.Second)
		if n := under.Load(); n != want {
			t.Errorf("while a batch is written %d are under way, want %d", n, want)
		}
		close(release)
		synctest.Wait()
		e.Advance(time.Second)
		if n := e.Stats().Reaper.Expired; n != 300 || most.Load() != want {
			t.Errorf("%d were deleted, with up to %d batches under way; want 300 and %d", n, most.Load(), want)
		}
	})
}
