package load_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
)

// fake is a target in virtual time.
type fake struct {
	propose func(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error)
	sync    func(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error)
	expire  func(ctx context.Context, tell func(load.Expiration))
	vitals  func() (load.Vitals, error)

	mu    sync.Mutex
	began time.Time // the first proposal that is not of the preparation
	seen  int       // proposals
}

// ProposeBatch answers what the preparation proposes at once.
func (f *fake) ProposeBatch(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error) {
	if prepares(batch) {
		replies := make([]actors.Reply, len(batch))
		for i := range replies {
			replies[i] = actors.Reply{Changed: true, Generation: 1_000 + batch[i].Tag}
		}
		return replies, nil
	}
	f.mu.Lock()
	if f.began.IsZero() {
		f.began = time.Now()
	}
	f.seen += len(batch)
	f.mu.Unlock()
	if f.propose == nil {
		return changed(batch), nil
	}
	return f.propose(ctx, batch)
}

func (f *fake) Sync(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
	if f.sync == nil {
		return actors.SyncPage{Cursor: "now"}, nil
	}
	return f.sync(ctx, q)
}

func (f *fake) Vitals(context.Context) (load.Vitals, error) {
	if f.vitals == nil {
		return load.Vitals{}, errors.New("nobody knows")
	}
	return f.vitals()
}

func (f *fake) Expirations(ctx context.Context, began func(), tell func(load.Expiration)) error {
	began()
	if f.expire != nil {
		f.expire(ctx, tell)
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

func changed(batch []*actors.Proposal) []actors.Reply {
	replies := make([]actors.Reply, len(batch))
	for i := range replies {
		replies[i] = actors.Reply{Changed: true, Tag: batch[i].Tag}
	}
	return replies
}

// after waits in virtual time, or until ctx ends.
func after(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run sends a workload of ten conversations to a target, and fails the test if there is no report.
func run(t *testing.T, ctx context.Context, target load.Target, c load.Config) *load.Report { //nolint:revive // the context is the run's, not the test's
	t.Helper()
	return runOf(t, ctx, target, workload.Config{Kind: workload.Uniform, Conversations: 10}, c)
}

func runOf(t *testing.T, ctx context.Context, target load.Target, of workload.Config, c load.Config) *load.Report { //nolint:revive // likewise
	t.Helper()
	w, err := workload.New(of)
	if err != nil {
		t.Fatal(err)
	}
	c.Coarse = true // virtual: the system's time does not pass in a bubble
	report, err := load.Run(ctx, target, w, c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// near fails the test unless a figure is within a hundredth of what it should be.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got < want*0.99 || got > want*1.01 {
		t.Errorf("%s: got %.3f, want %.3f", what, got, want)
	}
}

// prepares tells what a workload begins with from the load: it names members.
func prepares(batch []*actors.Proposal) bool {
	post, ok := batch[0].Change.(*conversation.Post)
	return ok && len(post.Members) > 0
}

// slowDoor is a target that takes single proposals in one after the other, each in a millisecond of whoever sends it.
type slowDoor struct{ *fake }

func (d *slowDoor) ProposeFunc(p *actors.Proposal, answer func(*actors.Reply)) {
	time.Sleep(time.Millisecond) // virtual: it holds the driver up
	answer(&actors.Reply{Changed: true, Tag: p.Tag})
}
