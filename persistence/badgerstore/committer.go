package badgerstore

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// maxTurn bounds how many requests share a turn, and so how long the first of them may wait for the others.
const maxTurn = 256

// request is one call of Commit or Acquire, or of maintenance. Once the committer took it, it is answered: results or epochs, and err, are set before done is closed.
type request struct {
	batch     *persistence.Batch  // of a Commit
	foresight *foresight          // of a Commit; nil: none
	shards    []persistence.Shard // of an Acquire
	stir      *stirring           // of maintenance
	done      chan struct{}
	err       error
	results   []persistence.Result
	epochs    []persistence.Epoch
}

// committer runs the write transactions, on one goroutine.
type committer struct {
	db        *badger.DB
	space     *space
	ledger    *ledger
	snapshots *snapshots
	recent    *recent
	advanced  func(clock persistence.Instant) // told of each clock that was committed
	tally     *tally
	write     func(*badger.Txn) error // commits; tests make it fail
	requests  chan *request
	closing   chan struct{} // ends run, after the turn under way
	done      chan struct{} // run has ended

	open    *transaction // nil: none
	written []writtenRow // by the transactions of this turn
	riders  []*request   // those with groups in the open transaction
}

func (c *committer) run() {
	defer close(c.done)
	for {
		select {
		case r := <-c.requests:
			c.turn(c.gather(r))
		case <-c.closing:
			return
		}
	}
}

// gather returns first and what else waits already.
func (c *committer) gather(first *request) []*request {
	turn := []*request{first}
	for len(turn) < maxTurn {
		select {
		case r := <-c.requests:
			turn = append(turn, r)
		default:
			return turn
		}
	}
	return turn
}

// turn carries the requests out, one after the other, publishes a snapshot with all of that, and answers them.
func (c *committer) turn(requests []*request) {
	c.space.turn()
	c.recent.turn(c.snapshots.current.Load().number + 1)
	for _, r := range requests {
		switch {
		case r.batch != nil:
			c.commit(r)
		case r.stir != nil:
			c.stir(r)
		default:
			c.acquire(r)
		}
	}
	c.flush()
	c.snapshots.publish(c.db, c.written)
	clear(c.written)
	c.written = c.written[:0]
	for _, r := range requests {
		close(r.done)
	}
}

// commit adds the groups of a batch to the open transaction, and where that is full, to another one. Space for all of it is taken first: a
// request that is refused as too much for the disk has written nothing.
func (c *committer) commit(r *request) {
	r.results = make([]persistence.Result, len(r.batch.Groups))
	costs := make([]cost, len(r.batch.Groups))
	total := fixed
	for i := range r.batch.Groups {
		group := &r.batch.Groups[i]
		var possible bool
		costs[i], possible = costOf(group)
		if !possible || !fixed.plus(costs[i]).fits(c.db) {
			r.results[i].Err = fmt.Errorf("%w: %d rows, %d bytes", persistence.ErrGroupTooLarge, costs[i].entries, costs[i].bytes)
			continue
		}
		total = total.plus(costs[i])
	}
	if r.err = c.space.take(total.bytes); r.err != nil {
		return
	}
	if r.batch.Clock != 0 {
		c.ride(r, cost{})
		if err := c.open.raise(r.batch.Clock); err != nil {
			c.fail(err)
			return
		}
	}
	for i := range r.batch.Groups {
		if r.results[i].Err != nil {
			continue
		}
		c.ride(r, costs[i])
		if r.err != nil { // the transaction before, which had an earlier part of this batch
			return
		}
		result, err := c.open.add(&r.batch.Groups[i], r.foresight.group(i))
		if err != nil {
			c.fail(err)
			return
		}
		r.results[i] = result
	}
}

// acquire draws epochs.
func (c *committer) acquire(r *request) {
	if r.err = c.space.take(fixed.bytes + owned.bytes*int64(len(r.shards))); r.err != nil {
		return
	}
	c.flush() // what waits in the open transaction was asked for first, and may fill it
	c.ride(r, cost{})
	for _, shard := range r.shards {
		owner, err := c.open.owner(shard)
		if err != nil {
			c.fail(err)
			return
		}
		owner.Epoch++
		owner.NextEvent = max(owner.NextEvent, 1)
		c.open.setOwner(shard, owner)
		r.epochs = append(r.epochs, owner.Epoch)
	}
	c.flush()
}

// ride makes sure of an open transaction with room for size, and that r has a part in its fate.
func (c *committer) ride(r *request, size cost) {
	if c.open != nil && !c.open.holds(size) {
		c.flush()
		if r.err != nil {
			return
		}
	}
	if c.open == nil {
		c.open = newTransaction(c.db, c.ledger, c.recent)
	}
	if n := len(c.riders); n == 0 || c.riders[n-1] != r {
		c.riders = append(c.riders, r)
	}
}

// flush commits the open transaction, if there is one.
func (c *committer) flush() {
	if c.open == nil {
		return
	}
	if err := c.open.commit(c.write); err != nil {
		c.fail(err)
		return
	}
	c.written = append(c.written, c.open.written...)
	c.tally.add(c.open.written)
	c.ledger.committed(c.open)
	if c.open.clock != 0 {
		c.advanced(c.open.clock)
	}
	c.open, c.riders = nil, nil
}

// fail gives the open transaction up, and with it all that have a part in it. Whether it was written is not known.
func (c *committer) fail(err error) {
	c.open.txn.Discard()
	for _, w := range c.open.written {
		w.doubtful = true
		c.written = append(c.written, w)
	}
	c.ledger.forget()
	for _, r := range c.riders {
		r.err = fmt.Errorf("badgerstore: %w", err)
	}
	c.open, c.riders = nil, nil
}
