package reaping

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Fill begins conversations of so many members, in batches, and returns once they are in the store.
func Fill(ctx context.Context, engine *actors.Engine, n, members int, name func(i int) string) error {
	const callers = 4
	var group sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, callers)
	for c := range callers {
		group.Go(func() {
			for errs[c] == nil {
				from := int(next.Add(actors.MaxBatch)) - actors.MaxBatch
				if from >= n {
					return
				}
				batch := make([]*actors.Proposal, min(actors.MaxBatch, n-from))
				for i := range batch {
					batch[i] = beginning(name(from+i), from+i, members)
				}
				replies, err := engine.ProposeBatch(ctx, batch)
				for i := range replies {
					err = errors.Join(err, replies[i].Err)
				}
				errs[c] = err
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// beginning begins the i-th conversation. Each user is in two hundred of them or so.
func beginning(name string, i, members int) *actors.Proposal {
	users := make([]string, members)
	for m := range users {
		users[m] = "user-" + strconv.Itoa(m) + "-" + strconv.Itoa(i/200)
	}
	return &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: 1, Sender: users[0], Members: users}}
}
