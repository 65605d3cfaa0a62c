package overload

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Posts are given out by the grant, of which there are so many.
const grants = 8

// busy is how many posts are under way where it is found how much the engine can do: enough that nobody ever has nothing to do.
const busy = 8_192

// warming is how many are while conversations are brought into memory: no more than may wait by the tightest bounds.
const warming = leastQueue / 2

// Capacity is what an engine does in a second where it is asked for no more than it can do.
type Capacity struct {
	Posts float64 // answered
	Bytes float64 // of rows, written by the journal, as [actors.Config.MaxJournalBytes] counts them
}

// measureCapacity has an engine do what it can, whose journal tells written of what it wrote.
func measureCapacity(ctx context.Context, engine *actors.Engine, from *crowd, lasting time.Duration, written *atomic.Int64) (can Capacity, err error) {
	before, began := written.Load(), time.Now()
	n, err := closed(engine, from, busy/grants, func(int) bool { return time.Since(began) < lasting })
	took := time.Since(began).Seconds()
	if err == nil {
		err = engine.Flush(ctx) // what was answered is durable, and may have yet to be written by the journal
	}
	return Capacity{Posts: float64(n) / took, Bytes: float64(written.Load()-before) / took}, err
}

// warm has the conversations in memory, but for those that the engine's bounds may have it refuse.
func warm(engine *actors.Engine, from *crowd) error {
	_, err := closed(engine, from, warming/grants, func(sent int) bool { return sent < 2*len(from.names) })
	if errors.Is(err, conversation.ErrOverloaded) {
		return nil
	}
	return err
}

// closed posts as long as it is to go on, granted of them and then as many when those are answered, and returns how many posts were answered.
func closed(engine *actors.Engine, from *crowd, granted int, goOn func(sent int) bool) (sent int, err error) {
	free := make(chan struct{}, grants)
	for range grants {
		free <- struct{}{}
	}
	var done atomic.Int64
	var failure atomic.Pointer[error]
	answered := func(r *actors.Reply) {
		if r.Err != nil {
			failure.CompareAndSwap(nil, &r.Err)
		}
		if done.Add(1)%int64(granted) == 0 {
			free <- struct{}{}
		}
	}
	for goOn(sent) {
		<-free
		for range granted {
			engine.ProposeFunc(from.post(), answered)
		}
		sent += granted
	}
	for range grants {
		<-free
	}
	if err := failure.Load(); err != nil {
		return 0, fmt.Errorf("overload: what an engine can do was refused: %w", *err)
	}
	return sent, nil
}
