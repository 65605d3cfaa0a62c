package badgerstore

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// maxTurn bounds how many requests share a transaction, and so how long the first of them may wait for the others.
const maxTurn = 256

// groupsBetweenYields is after how many groups others get the processor: Go would let them wait for ten milliseconds, and nobody is in as much of a hurry as who proposes something.
const groupsBetweenYields = 64

// committer runs the write transactions, on one goroutine. One of them may be on its way to the disk, which most of its time is spent on, while the next one is filled with
// what comes meanwhile: that one's guards see what is on its way as if it were there. Should it turn out not to be, the next one is filled anew.
type committer struct {
	db        *badger.DB
	space     *space
	ledger    *ledger
	snapshots *snapshots
	recent    *recent
	redo      *redo
	advanced  func(clock persistence.Instant) // told of each clock that was committed
	tally     *tally
	write     func(*badger.Txn) error // commits; tests make it fail
	requests  chan *request
	closing   chan struct{} // ends run, after the transactions under way
	done      chan struct{} // run has ended

	open   *transaction // being filled; nil: none
	spare  *transaction // the next one to be filled, opened before what is in flight was sent: Badger would make it wait for that; nil: none
	flight *transaction // being written; nil: none
	landed chan error   // what became of the flight
	again  []*request   // to be carried out once more: what they were built upon was lost
}

func (c *committer) run() {
	defer close(c.done)
	requests, closing := c.requests, c.closing
	for {
		c.retake()
		if c.flight == nil && c.open != nil {
			c.launch()
		}
		if c.flight == nil && c.open == nil && requests == nil {
			c.drop(&c.spare)
			return
		}
		next := requests
		if c.open != nil && len(c.open.riders) >= maxTurn {
			next = nil
		}
		select {
		case r := <-next:
			c.receive(r)
		case err := <-c.landed:
			c.land(err)
			if requests != nil {
				c.receive()
			}
		case <-closing:
			requests, closing = nil, nil
		}
	}
}

// receive carries requests out, and what else waits already, as far as its results go: they are answered when what they wrote is on disk.
func (c *committer) receive(turn ...*request) {
	waiting := true
	for waiting && len(turn) < maxTurn {
		select {
		case r := <-c.requests:
			turn = append(turn, r)
		default:
			waiting = false
		}
	}
	c.space.turn(c.pledged())
	for _, r := range turn {
		c.take(r)
	}
}

// pledged is how many bytes have had room set aside, and may not have taken it yet.
func (c *committer) pledged() (bytes int64) {
	for _, t := range []*transaction{c.flight, c.open} {
		if t != nil {
			bytes += t.size.bytes
		}
	}
	return bytes
}

// retake carries out what is to be carried out once more.
func (c *committer) retake() {
	for len(c.again) > 0 {
		again := c.again
		c.again = nil
		for _, r := range again {
			c.take(r)
		}
	}
}

// take carries a request out, up to its answer.
func (c *committer) take(r *request) {
	r.begin()
	switch {
	case r.batch != nil:
		c.commit(r)
	case r.stir != nil:
		c.stir(r)
	default:
		c.acquire(r)
	}
	r.taken()
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
		c.redo.giveBack()
		return
	}
	if !c.ride(r, cost{}) { // also where nothing is written: what that is owed to may be on its way
		return
	}
	if r.batch.Clock != 0 {
		if err := c.open.raise(r.batch.Clock); err != nil {
			c.abandon(err)
			return
		}
	}
	for i := range r.batch.Groups {
		if i%groupsBetweenYields == 0 {
			runtime.Gosched()
		}
		if r.results[i].Err != nil {
			continue
		}
		if !c.ride(r, costs[i]) {
			return
		}
		result, err := c.open.add(&r.batch.Groups[i], r.foresight.group(i))
		if err != nil {
			c.abandon(err)
			return
		}
		r.results[i] = result
	}
	c.open.cover(r.mark)
}

// acquire draws epochs. What was logged under those before, and is not committed, is brought in first: whoever acquires a shard looks for it in a snapshot.
func (c *committer) acquire(r *request) {
	logged, err := c.redo.fence(r.shards, c.marked())
	if err != nil {
		r.err = fmt.Errorf("badgerstore: acquire: %w", err)
		return
	}
	size := cost{entries: int64(len(r.shards)), bytes: owned.bytes * int64(len(r.shards))}
	if r.err = c.space.take(fixed.bytes + size.bytes); r.err != nil {
		return
	}
	batches, err := latest(logged)
	if err != nil {
		r.err = fmt.Errorf("badgerstore: what was logged before: %w", err)
		return
	}
	for i := range batches {
		if !c.bringIn(r, &batches[i]) {
			return
		}
	}
	if !c.ride(r, size) {
		return
	}
	if n := len(logged); n > 0 {
		c.open.cover(c.redo.covers(logged[n-1].position))
	}
	for _, shard := range r.shards {
		owner, err := c.open.owner(shard)
		if err != nil {
			c.abandon(err)
			return
		}
		c.open.acquired = append(c.open.acquired, shard)
		owner.Epoch++
		owner.NextEvent = max(owner.NextEvent, 1)
		c.open.setOwner(shard, owner)
		r.epochs = append(r.epochs, owner.Epoch)
	}
}

// marked is up to where the log will have been committed once what is under way is.
func (c *committer) marked() persistence.Position {
	position := persistence.Position(c.redo.marked.Load())
	for _, t := range []*transaction{c.flight, c.open} {
		if t != nil && t.mark != nil {
			position = max(position, t.mark.position)
		}
	}
	return position
}

// bringIn carries out what was logged, for a request. It returns false where there is no more to be done for that now.
func (c *committer) bringIn(r *request, batch *persistence.Batch) bool {
	var bytes int64
	for i := range batch.Groups {
		size, _ := costOf(&batch.Groups[i])
		bytes += size.bytes
	}
	if err := c.space.take(bytes); err != nil {
		r.err = fmt.Errorf("badgerstore: what was logged before: %w", err)
		return false
	}
	if !c.ride(r, cost{}) {
		return false
	}
	if err := c.open.raise(batch.Clock); err != nil {
		c.abandon(err)
		return false
	}
	for i := range batch.Groups {
		size, _ := costOf(&batch.Groups[i])
		if !c.ride(r, size) {
			return false
		}
		if _, err := c.open.add(&batch.Groups[i], nil); err != nil {
			c.abandon(err)
			return false
		}
	}
	return true
}

// ride makes sure of an open transaction with room for size, and that r has a part in its fate. It returns false where an earlier part of r was lost meanwhile: there is nothing to be
// done for it now.
func (c *committer) ride(r *request, size cost) (ok bool) {
	if c.open != nil && !c.open.holds(size) {
		c.cut()
		if !r.goesOn() {
			return false
		}
	}
	if c.open == nil {
		if c.spare == nil {
			c.spare = c.newTransaction(c.flight)
		}
		c.open, c.spare = c.spare, nil
	}
	c.open.board(r)
	return true
}

// cut sends the open transaction, if there is one, as soon as the one before has landed.
func (c *committer) cut() {
	if c.flight != nil {
		c.land(<-c.landed)
	}
	if c.open != nil {
		c.launch()
	}
}

// settle returns when there is no transaction under way.
func (c *committer) settle() {
	for c.flight != nil || c.open != nil {
		c.cut()
	}
}

// launch sends the open transaction to Badger. There must be none in flight.
func (c *committer) launch() {
	if err := c.open.seal(); err != nil {
		c.abandon(err)
		return
	}
	t := c.open
	c.open, c.flight = nil, t
	c.ledger.committed(t)
	c.drop(&c.spare)
	c.spare = c.newTransaction(t)
	write := c.write
	go func() { c.landed <- t.commit(write) }()
}

func (c *committer) newTransaction(before *transaction) *transaction {
	number := c.snapshots.current.Load().number + 1
	if before != nil {
		number = before.number + 1
	}
	return newTransaction(c.db, c.ledger, c.recent, before, number)
}

// land publishes a snapshot with what was in flight, and answers those whose last part that was.
func (c *committer) land(err error) {
	t := c.flight
	c.flight = nil
	if err == nil {
		c.tally.add(t.written)
		if t.clock != 0 {
			c.advanced(t.clock)
		}
		if t.mark != nil {
			c.redo.mark(t.mark.position)
		}
		c.owned(t)
	} else {
		c.ledger.forget()
	}
	c.drop(&c.spare)
	c.snapshots.publish(c.db, t.written, err != nil)
	t.alight(err)
	if err != nil && c.open != nil { // it was built upon what was lost
		c.again = append(c.again, c.open.rebook()...)
		c.drop(&c.open)
	}
}

// owned lets the log know the epochs that have landed, but for those of shards that have been acquired once more meanwhile.
func (c *committer) owned(t *transaction) {
	for _, shard := range t.acquired {
		if c.open == nil || !slices.Contains(c.open.acquired, shard) {
			c.redo.owned(shard, t.owners[shard].Epoch)
		}
	}
}

// abandon gives the open transaction up, which was not sent, and with it all that have a part in it.
func (c *committer) abandon(err error) {
	t := c.open
	c.drop(&c.open)
	t.alight(err)
}

// drop discards a transaction that was not sent.
func (c *committer) drop(t **transaction) {
	if *t != nil {
		(*t).txn.Discard()
		*t = nil
	}
}
