package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/workload"
)

// prepared is what a run needs of the target before it begins.
type prepared struct {
	generations []uint64 // of the expiring conversations, by their number less one
	askers      []asker
}

// asker is a user and what their device heard last.
type asker struct{ user, cursor string }

const (
	// prepareCallers is how many batches are under way while a target is prepared, and how many askers.
	prepareCallers = 8
	// prepareBatch and prepareUsers bound the proposals of such a batch, and the users named in it: a server takes bodies up to a size.
	prepareBatch = 500
	prepareUsers = 20_000
)

// prepare has everything begun that the workload talks in, and returns once it is in the store. tell is called with how many proposals were applied.
func prepare(ctx context.Context, target Target, w *workload.Workload, tell func(done int)) (*prepared, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &prepared{generations: make([]uint64, w.Expiring())}
	batches := make(chan []*actors.Proposal)
	var group sync.WaitGroup
	var done atomic.Int64
	for range prepareCallers {
		group.Go(func() {
			for batch := range batches {
				n := len(batch)
				if err := p.begin(ctx, target, batch); err != nil {
					cancel(err)
					continue // until there are no more
				}
				tell(int(done.Add(int64(n))))
			}
		})
	}
	handOut(ctx, w, batches)
	close(batches)
	group.Wait()
	if ctx.Err() == nil {
		p.meet(ctx, cancel, target, w)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("load: preparing: %w", err)
	}
	return p, nil
}

// handOut puts what the workload begins with into batches, until there is no more or ctx ends.
func handOut(ctx context.Context, w *workload.Workload, batches chan<- []*actors.Proposal) {
	var batch []*actors.Proposal
	users := 0
	give := func() bool {
		select {
		case batches <- batch:
			batch, users = nil, 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for p := range w.Begin() {
		switch change := p.Change.(type) {
		case *conversation.Post:
			users += 1 + len(change.Members)
		case *conversation.Join:
			users += len(change.Users)
		}
		if batch = append(batch, p); (len(batch) == prepareBatch || users >= prepareUsers) && !give() {
			return
		}
	}
	if len(batch) > 0 {
		give()
	}
}

// begin has a batch applied, again and again while the engine has too much to do.
func (p *prepared) begin(ctx context.Context, target Target, batch []*actors.Proposal) error {
	for len(batch) > 0 {
		replies, err := target.ProposeBatch(ctx, batch)
		if err != nil {
			return err
		}
		var again []*actors.Proposal
		var pause time.Duration
		for i := range replies {
			switch refusal := replies[i].Err; {
			case errors.Is(refusal, conversation.ErrOverloaded):
				again = append(again, batch[i])
				pause = time.Millisecond
				if e, ok := errors.AsType[*conversation.Error](refusal); ok {
					pause = max(pause, e.RetryAfter)
				}
			case refusal != nil:
				return refusal
			case batch[i].Tag != 0:
				p.generations[batch[i].Tag-1] = replies[i].Generation
			}
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
		batch = again
	}
	return nil
}

// meet has each asker's device hear everything once.
func (p *prepared) meet(ctx context.Context, cancel context.CancelCauseFunc, target Target, w *workload.Workload) {
	for user := range w.Askers() {
		p.askers = append(p.askers, asker{user: user})
	}
	var group sync.WaitGroup
	var next atomic.Int64
	for range prepareCallers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(p.askers) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				cursor, err := catchUp(ctx, target, p.askers[i])
				if err != nil {
					cancel(err)
				}
				p.askers[i].cursor = cursor
			}
		})
	}
	group.Wait()
}

// catchUp asks what changed for one user, page by page, and returns the cursor for the next time.
func catchUp(ctx context.Context, target Target, a asker) (cursor string, err error) {
	q := actors.SyncQuery{User: a.user, Cursor: a.cursor}
	for {
		page, err := target.Sync(ctx, q)
		if err != nil {
			return "", err
		}
		if q.Cursor = page.Cursor; !page.More {
			return q.Cursor, nil
		}
	}
}

// rest lets time pass.
func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
