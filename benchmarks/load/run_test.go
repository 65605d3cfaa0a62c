package load_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
)

// A driver that waits for answers sends nothing while a target stalls, and has one latency of a second among thousands of short ones. Planned at 1,000 a second, a thousand
// proposals wait: half of them more than half a second.
func TestAStallIsFeltByAllThatWasPlannedMeanwhile(t *testing.T) {
	for _, batch := range []int{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			target := &fake{}
			target.propose = func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
				wait := time.Millisecond
				if since := time.Since(target.began); since >= 4*time.Second && since < 5*time.Second {
					wait += 5*time.Second - since // virtual: it stalls from the fourth second to the fifth
				}
				return changed(batch), after(ctx, wait)
			}
			report := run(t, t.Context(), target, load.Config{Rate: 1_000, Arrivals: load.Constant, Batch: batch, Duration: 10 * time.Second})
			total := report.Total
			if total.Planned != 10_000 || total.Changed != 10_000 {
				t.Errorf("planned %d, answered %d, want 10,000: the schedule was slowed down", total.Planned, total.Changed)
			}
			// A tenth of all was planned within the stall, evenly: the 95th percentile waited for half of it.
			near(t, "p50 in ms", total.Latency.P50Ms, 1)
			near(t, "p90 in ms", total.Latency.P90Ms, 1)
			near(t, "p99 in ms", total.Latency.P99Ms, 901)
			near(t, "p99.9 in ms", total.Latency.P999Ms, 991)
			near(t, "most in ms", total.Latency.MaxMs, 1_001)
			near(t, "mean in ms", total.Latency.MeanMs, 1+0.1*500)
			for _, w := range report.Windows {
				if stalled := w.AtSeconds >= 4 && w.AtSeconds < 5; stalled != (w.MaxMs > 100) && w.AtSeconds < 4.9 {
					t.Errorf("what was planned at %.1f s took up to %.0f ms", w.AtSeconds, w.MaxMs)
				}
				near(t, "planned a second", w.PlannedPerSecond, 1_000)
			}
			if len(report.Windows) != 100 {
				t.Errorf("%d windows of %v s, want 100", len(report.Windows), report.WindowSeconds)
			}
		})
	}
}

func TestWhatIsNotAnsweredIsCountedAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &fake{propose: func(ctx context.Context, _ []*actors.Proposal) ([]actors.Reply, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}}
		began := time.Now()
		report := run(t, t.Context(), target, load.Config{
			Rate: 100, Arrivals: load.Constant, Duration: 10 * time.Second, Outstanding: 300, DrainFor: 5 * time.Second,
		})
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("the run took %v, want its ten seconds and five of waiting", took)
		}
		total := report.Total
		if total.Planned != 1_000 || total.Dropped != 700 || total.Unanswered != 300 || target.seen != 300 {
			t.Errorf("planned %d, dropped %d, unanswered %d, and the target saw %d; want 1,000, 700, 300 and 300", total.Planned, total.Dropped, total.Unanswered, target.seen)
		}
		// They were planned in the first three seconds, and are waited for until the fifteenth.
		if total.Latency == nil || total.Latency.Count != 300 {
			t.Fatalf("the latency is %+v, want that of the 300 as long as they were waited for", total.Latency)
		}
		near(t, "p50 in ms", total.Latency.P50Ms, 13_500)
		near(t, "most in ms", total.Latency.MaxMs, 15_000)
		text := strings.Join(report.Notes, "\n")
		for _, want := range []string{"700 of 1,000 proposals were dropped, because 300 were unanswered", "300 proposals were not answered in time"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in the notes:\n%s", want, text)
			}
		}
	})
}

func TestADriverThatCannotKeepUpEndsAllTheSameAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		report := run(t, t.Context(), &slowDoor{&fake{}}, load.Config{Rate: 4_000, Arrivals: load.Constant, Duration: 3 * time.Second})
		if took := time.Since(began); took > 4_100*time.Millisecond {
			t.Errorf("the run took %v, want its three seconds and one of grace", took)
		}
		// A thousand a second were sent, for four seconds.
		total := report.Total
		if total.Planned != 12_000 || total.Changed+total.Dropped != 12_000 {
			t.Errorf("planned %d, answered %d, dropped %d; want 12,000", total.Planned, total.Changed, total.Dropped)
		}
		near(t, "answered", float64(total.Changed), 4_000)
		near(t, "most in ms", total.Latency.MaxMs, 3_000)
		text := strings.Join(report.Notes, "\n")
		if !strings.Contains(text, "the driver itself could not send them") || !strings.Contains(text, "The driver itself was late") {
			t.Errorf("the notes do not say so:\n%s", text)
		}
	})
}

func TestWhatIsRefusedIsCountedByItselfAndNotAmongTheAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusals := []actors.Reply{
			{Changed: true},
			{},
			{Err: &conversation.Error{Kind: conversation.ErrOverloaded}},
			{Err: &conversation.Error{Kind: conversation.ErrNotFound}},
			{Ack: actors.AckApplied, Err: &conversation.Error{Kind: conversation.ErrOverloaded, Reason: "the disk is full"}},
			{Err: errors.New("no route")},
		}
		target := &fake{}
		target.propose = func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			reply := refusals[batch[0].Change.(*conversation.Post).Seq%uint64(len(refusals))] //nolint:errcheck // nothing else is proposed
			wait := time.Millisecond
			if reply.Err != nil {
				wait = 20 * time.Millisecond
			}
			return []actors.Reply{reply}, after(ctx, wait) // virtual: it tells the latencies apart
		}
		report := runOf(t, t.Context(), target, workload.Config{Kind: workload.Zipf, Conversations: 1}, load.Config{Rate: 60, Arrivals: load.Constant, Duration: 10 * time.Second})
		want := load.Tally{Changed: 100, Unchanged: 100, Overloaded: 100, Refused: 100, Failed: 200}
		if report.Total.Tally != want {
			t.Errorf("got %+v, want %+v", report.Total.Tally, want)
		}
		near(t, "most of the accepted in ms", report.Total.Latency.MaxMs, 1)
		near(t, "least of the others in ms", report.Total.TurnedDown.MinMs, 20)
		if n := report.Total.Latency.Count; n != 200 {
			t.Errorf("%d latencies of accepted ones, want 200", n)
		}
		if text := strings.Join(report.Notes, "\n"); !strings.Contains(text, "400 proposals were refused or failed") || !strings.Contains(text, "The first fault: overloaded") {
			t.Errorf("the notes do not say so:\n%s", text)
		}
	})
}

func TestAFailedCallIsAFailureOfEachOfItsProposals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &fake{propose: func(context.Context, []*actors.Proposal) ([]actors.Reply, error) { return nil, errors.New("no route") }}
		report := run(t, t.Context(), target, load.Config{Rate: 100, Arrivals: load.Constant, Batch: 10, Duration: time.Second})
		if report.Total.Failed != 100 || report.Total.Latency != nil {
			t.Errorf("failed %d, latency %v; want 100 and none", report.Total.Failed, report.Total.Latency)
		}
		target.propose = func(context.Context, []*actors.Proposal) ([]actors.Reply, error) {
			return []actors.Reply{{Changed: true}}, nil
		}
		report = run(t, t.Context(), target, load.Config{Rate: 100, Arrivals: load.Constant, Batch: 10, Duration: time.Second})
		if report.Total.Failed != 100 || !strings.Contains(strings.Join(report.Notes, "\n"), "1 replies to 10 proposals") {
			t.Errorf("failed %d, notes %q; want 100, and that replies are missing", report.Total.Failed, report.Notes)
		}
	})
}

func TestTheWarmUpIsMeasuredByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &fake{}
		target.propose = func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			wait := time.Millisecond
			if time.Since(target.began) < 2*time.Second {
				wait = 50 * time.Millisecond // virtual: it is slow while it is cold
			}
			return changed(batch), after(ctx, wait)
		}
		report := run(t, t.Context(), target, load.Config{Rate: 100, Arrivals: load.Constant, WarmUp: 2 * time.Second, Duration: 3 * time.Second})
		near(t, "most in ms", report.Total.Latency.MaxMs, 1)
		if report.WarmUp == nil || report.WarmUp.Planned != 200 || report.Total.Planned != 300 {
			t.Fatalf("planned %d in the warm-up %+v, want 300 and 200", report.Total.Planned, report.WarmUp)
		}
		near(t, "most in the warm-up in ms", report.WarmUp.Latency.MaxMs, 50)
		if p := report.Phases[0]; len(report.Phases) != 1 || p.FromSeconds != 2 || p.Seconds != 3 {
			t.Errorf("the phases are %+v, want one from 2 s to 5 s", report.Phases)
		}
	})
}

func TestAnInterruptEndsTheRunWithWhatWasDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		target := &fake{}
		target.propose = func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			if ctx.Err() != nil {
				t.Error("a call was sent on a context that had ended")
			}
			return changed(batch), after(ctx, 100*time.Millisecond)
		}
		began := time.Now()
		time.AfterFunc(3*time.Second+55*time.Millisecond, cancel)
		report := run(t, ctx, target, load.Config{Rate: 100, Arrivals: load.Constant, Duration: time.Hour})
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %v to end", took)
		}
		total := report.Total
		if !report.Interrupted || total.Planned != 306 || total.Changed != 306 || total.Unanswered != 0 {
			t.Errorf("interrupted %v, planned %d, answered %d, unanswered %d; want all 306 answered", report.Interrupted, total.Planned, total.Changed, total.Unanswered)
		}
		near(t, "seconds", total.Seconds, 3.055)
		near(t, "accepted a second", total.AcceptedPerSecond, 100)
	})
}

func TestAnInterruptedDrainEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		target := &fake{propose: func(ctx context.Context, _ []*actors.Proposal) ([]actors.Reply, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}}
		began := time.Now()
		time.AfterFunc(2*time.Second, cancel)
		report := run(t, ctx, target, load.Config{Rate: 10, Arrivals: load.Constant, Duration: time.Second, DrainFor: time.Hour})
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("it took %v, want five seconds from the interrupt", took)
		}
		if report.Interrupted || report.Total.Unanswered != 10 {
			t.Errorf("interrupted %v, unanswered %d; the load was sent, and its 10 proposals not answered", report.Interrupted, report.Total.Unanswered)
		}
	})
}

func TestAskersAllAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := make(chan struct{}, 1)
		cursors := map[string]string{}
		target := &fake{}
		target.sync = func(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
			if q.Cursor == "" {
				return actors.SyncPage{Cursor: "of " + q.User}, nil // while it is prepared
			}
			one <- struct{}{}
			defer func() { <-one }()
			if cursors[q.User] == "" {
				cursors[q.User] = q.Cursor
			}
			if q.User == "user-3" {
				return actors.SyncPage{}, errors.New("no such user")
			}
			return actors.SyncPage{Cursor: "then", More: strings.HasPrefix(q.Cursor, "of")}, after(ctx, 10*time.Millisecond) // virtual: one after the other
		}
		report := runOf(t, t.Context(), target, workload.Config{Kind: workload.Storm, Askers: 10, Members: 10}, load.Config{Rate: 10, Arrivals: load.Constant, Duration: 4 * time.Second})
		if report.Phases[0].Asks != nil || report.Phases[2].Asks != nil || report.Phases[1].Asks == nil {
			t.Fatalf("the phases are %+v, want questions in the second alone", report.Phases)
		}
		asks := report.Phases[1].Asks
		if asks.Asked != 10 || asks.Failed != 1 || asks.Latency.Count != 9 {
			t.Errorf("got %+v, want ten, one failed", asks)
		}
		near(t, "the last was told after, in ms", asks.Latency.MaxMs, 180) // nine of two pages
		for user, cursor := range cursors {
			if cursor != "of "+user {
				t.Errorf("%s asked with the cursor %q", user, cursor)
			}
		}
	})
}

func TestWhereDeadlinesAreNotTheLoadsWhatExpiresIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &fake{}
		var mu sync.Mutex
		deleted := map[string]time.Duration{}
		tellIt := make(chan load.Expiration, 1_000)
		target.propose = func(_ context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range batch {
				if p.Change.Kind() != "delete" {
					continue
				}
				if p.IfGeneration <= 1_000 {
					t.Errorf("%s is deleted as generation %d", p.Conversation, p.IfGeneration)
				}
				deleted[p.Conversation] = time.Since(target.began)
				tellIt <- load.Expiration{Conversation: p.Conversation, Lateness: 30 * time.Millisecond}
			}
			return changed(batch), nil
		}
		target.expire = func(ctx context.Context, tell func(load.Expiration)) {
			tell(load.Expiration{Conversation: "group:42", Lateness: time.Hour}) // another's
			for {
				select {
				case e := <-tellIt:
					tell(e)
				case <-ctx.Done():
					return
				}
			}
		}
		of := workload.Config{Kind: workload.Expiry, Conversations: 10, Expiring: 1_000, ExpireOver: 2 * time.Second}
		report := runOf(t, t.Context(), target, of, load.Config{Rate: 100, Arrivals: load.Constant, Duration: 8 * time.Second})
		if len(deleted) != 1_000 {
			t.Errorf("%d were deleted, want 1,000", len(deleted))
		}
		for name, at := range deleted {
			if at < 2*time.Second || at > 4*time.Second {
				t.Errorf("%s was deleted after %v, want from 2 s to 4 s", name, at)
			}
		}
		e := report.Expiry
		if e == nil || e.Gone != 1_000 || e.ByDeadline || e.Lateness.MaxMs < 29 || e.Lateness.MaxMs > 31 {
			t.Fatalf("got %+v, want 1,000 gone, 30 ms late", e)
		}
		near(t, "seconds until the last was gone", e.TookSeconds, 1.5)
		if report.Total.Planned != 800 {
			t.Errorf("planned %d, want the load alone, 800", report.Total.Planned)
		}
	})
}

func TestATargetThatCannotBePreparedIsNotMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := workload.New(workload.Config{Kind: workload.Storm, Askers: 10, Members: 10})
		if err != nil {
			t.Fatal(err)
		}
		fault := errors.New("no route")
		target := &fake{sync: func(context.Context, actors.SyncQuery) (actors.SyncPage, error) { return actors.SyncPage{}, fault }}
		if report, err := load.Run(t.Context(), target, w, load.Config{Rate: 1, Duration: time.Second}); !errors.Is(err, fault) || report != nil {
			t.Errorf("got %v, %v", report, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("signal: interrupt"))
		if report, err := load.Run(ctx, target, w, load.Config{Rate: 1, Duration: time.Second}); err == nil || !strings.Contains(err.Error(), "preparing: signal: interrupt") || report != nil {
			t.Errorf("got %v, %v", report, err)
		}
	})
}

func TestProgressComesToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown []load.Progress
		target := &fake{propose: func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			return changed(batch), after(ctx, 2*time.Millisecond) // virtual: a latency to be shown
		}}
		run(t, t.Context(), target, load.Config{
			Rate: 100, Arrivals: load.Constant, WarmUp: time.Second, Duration: 3 * time.Second, Progress: func(p load.Progress) { shown = append(shown, p) },
		})
		first, last := shown[0], shown[len(shown)-1]
		if first.Phase != "preparing" || first.Preparing != 10 {
			t.Errorf("it begins with %+v", first)
		}
		if last.Done != 4*time.Second || last.Total != 4*time.Second || last.Phase != "draining" {
			t.Errorf("it ends with %+v", last)
		}
		near(t, "answered a second", last.Answered, 100)
		near(t, "p99 in ms", float64(last.P99)/float64(time.Millisecond), 2)
		for i := 1; i < len(shown); i++ {
			if shown[i].Done < shown[i-1].Done {
				t.Errorf("it goes back from %v to %v", shown[i-1].Done, shown[i].Done)
			}
		}
	})
}

func TestVitalsAreSampledUntilTheyAreNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cycles := uint64(0)
		target := &fake{vitals: func() (load.Vitals, error) {
			if cycles++; cycles == 4 {
				return load.Vitals{}, errors.New("metrics are off")
			}
			return load.Vitals{HeapBytes: 100 << 20, GCCycles: cycles, GCPauses: time.Duration(cycles) * time.Millisecond}, nil
		}}
		report := run(t, t.Context(), target, load.Config{Rate: 10, Arrivals: load.Constant, Duration: 10 * time.Second})
		if len(report.Samples) != 3 || report.Samples[2].GCPausesSeconds != 0.003 || report.Samples[2].HeapBytes != 100<<20 {
			t.Errorf("got %+v, want three samples", report.Samples)
		}
		if !strings.Contains(strings.Join(report.Notes, "\n"), "metrics are off") {
			t.Errorf("the notes %q do not say why there are no more", report.Notes)
		}
	})
}

func TestPoissonArrivalsAreTheirRateAndIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		target := &fake{}
		target.propose = func(_ context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
			target.mu.Lock()
			defer target.mu.Unlock()
			at = append(at, time.Since(target.began))
			return changed(batch), nil
		}
		run(t, t.Context(), target, load.Config{Rate: 1_000, Duration: 20 * time.Second, Seed: 3})
		near(t, "arrivals a second", float64(len(at))/20, 1_000)
		// In exponential gaps the deviation is the mean.
		var sum, squares float64
		for i := 1; i < len(at); i++ {
			gap := (at[i] - at[i-1]).Seconds()
			sum, squares = sum+gap, squares+gap*gap
		}
		n := float64(len(at) - 1)
		mean := sum / n
		if deviation := math.Sqrt(squares/n - mean*mean); deviation < 0.95*mean || deviation > 1.05*mean {
			t.Errorf("the gaps deviate by %v from a mean of %v, want as much", deviation, mean)
		}
	})
}

func TestFaultsNameTheirField(t *testing.T) {
	for want, c := range map[string]load.Config{
		"rate: must be more than 0 proposals a second and at most 10000000, is 0":   {Duration: time.Second},
		"rate: must be more than 0 proposals a second and at most 10000000, is NaN": {Rate: math.NaN(), Duration: time.Second},
		`arrivals: must be poisson or constant, is "rare"`:                          {Rate: 1, Duration: time.Second, Arrivals: "rare"},
		"batch: must be 1 to 1000, is 1001":                                         {Rate: 1, Duration: time.Second, Batch: 1001},
		"warm-up: must not be negative, is -1s":                                     {Rate: 1, Duration: time.Second, WarmUp: -time.Second},
		"duration: must be more than 0, is 0s":                                      {Rate: 1},
		"outstanding: must be at least the 10 of a batch, is 9":                     {Rate: 1, Duration: time.Second, Batch: 10, Outstanding: 9},
		"drain-for: must not be negative, is -1s":                                   {Rate: 1, Duration: time.Second, DrainFor: -time.Second},
	} {
		err := c.Validate()
		if _, ok := errors.AsType[*workload.FieldError](err); !ok || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
