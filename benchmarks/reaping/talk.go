package reaping

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

const (
	talkEvery         = 5 * time.Millisecond
	talkConversations = 1_000
	// talkAhead is how many batches may be under way. Where the engine is so far behind, the load is more than it can do, and the latencies say nothing.
	talkAhead = 400
)

// Talk posts at a steady rate, in batches, and waits for each to be committed. The load is open: a batch is due whether or not those before it were answered, and its latency runs
// from when it was due until its last reply.
type Talk struct {
	engine  *actors.Engine
	seqs    [talkConversations]atomic.Uint64 // of the last post to each conversation
	into    atomic.Pointer[Latencies]
	done    atomic.Int64
	refused atomic.Int64 // because the engine was overloaded
	failed  atomic.Pointer[error]
	cancel  context.CancelFunc
	group   sync.WaitGroup
}

// StartTalk has so many posts proposed a second until End is called, or ctx ends.
func StartTalk(ctx context.Context, engine *actors.Engine, rate int) *Talk {
	ctx, cancel := context.WithCancel(ctx)
	t := &Talk{engine: engine, cancel: cancel}
	t.into.Store(NewLatencies())
	t.group.Go(func() { t.run(ctx, rate) })
	return t
}

func (t *Talk) run(ctx context.Context, rate int) {
	each := max(1, int(int64(rate)*int64(talkEvery)/int64(time.Second)))
	places := make(chan struct{}, talkAhead)
	began := time.Now()
	tick := time.NewTicker(talkEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * talkEvery)
		for time.Now().Before(due) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		t.group.Go(func() {
			defer func() { <-places }()
			if err := t.post(context.WithoutCancel(ctx), n, each); err != nil {
				t.failed.CompareAndSwap(nil, &err)
				return
			}
			t.into.Load().Record(time.Since(due), each)
		})
	}
}

// post sends the n-th batch.
func (t *Talk) post(ctx context.Context, n, each int) error {
	var err error
	for from := 0; from < each; from += actors.MaxBatch {
		batch := make([]*actors.Proposal, min(each-from, actors.MaxBatch))
		for i := range batch {
			talk := (n*each + from + i) % talkConversations
			batch[i] = &actors.Proposal{
				Conversation: fmt.Sprintf("talk:%d", talk),
				Change:       &conversation.Post{Seq: t.seqs[talk].Add(1), Sender: "ann", Preview: []byte("see you at eight")},
			}
		}
		replies, failed := t.engine.ProposeBatch(ctx, batch)
		err = errors.Join(err, failed)
		for i := range replies {
			switch refused := replies[i].Err; {
			case errors.Is(refused, conversation.ErrOverloaded):
				t.refused.Add(1)
			case refused != nil:
				err = errors.Join(err, refused)
			default:
				t.done.Add(1)
			}
		}
	}
	return err
}

// Measure has what is sent from now on measured by itself, and returns what was measured until now.
func (t *Talk) Measure() *Latencies { return t.into.Swap(NewLatencies()) }

// Refused returns how many posts were refused, as the engine was overloaded: their latencies are of no worth.
func (t *Talk) Refused() int64 { return t.refused.Load() }

// End ends the load, waits for what is under way and returns what was measured since Measure. It is called once.
func (t *Talk) End() (*Latencies, error) {
	t.cancel()
	t.group.Wait()
	if err := t.failed.Load(); err != nil {
		return nil, fmt.Errorf("reaping: the load: %w", *err)
	}
	return t.into.Load(), nil
}

// Capacity returns how many committed posts a second the engine takes from callers that wait for their answers, in batches of 250.
func Capacity(ctx context.Context, engine *actors.Engine, lasting time.Duration) (int, error) {
	const callers, each = 8, 250
	t := &Talk{engine: engine}
	began := time.Now()
	var n atomic.Int64
	errs := make([]error, callers)
	for c := range callers {
		t.group.Go(func() {
			for time.Since(began) < lasting && errs[c] == nil {
				errs[c] = t.post(ctx, int(n.Add(1)), each)
			}
		})
	}
	t.group.Wait()
	return int(float64(t.done.Load()) / time.Since(began).Seconds()), errors.Join(errs...)
}
