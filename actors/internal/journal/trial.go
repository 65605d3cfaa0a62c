package journal

import (
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// trial is the writing of one batch. While the store fails it finds out what fails: the store, which is waited for, however long that takes, or a
// record, which is dropped. A record is held to be at fault only where the store took another one in the same attempt.
type trial struct {
	*Journal

	batch   *batch
	left    []*record // what is not in the store
	witness *record   // one that is; nil: none is
	covered bool      // so is the note that the batch need not be logged any more
	number  int       // of the attempt; what is below is about that one alone

	landed  bool      // the store took something
	misses  int       // failures in a row
	failure error     // the last
	alone   []*record // failed by themselves
	over    bool      // it would be of no use to go on
}

// attempt tries to write what is left, and reports whether nothing is left any more.
func (t *trial) attempt(number int) (done bool) {
	t.number, t.landed, t.misses, t.failure, t.alone, t.over = number, false, 0, nil, nil, false
	t.left = t.bring(t.left)
	if !t.over && !t.landed && len(t.alone) > 0 {
		t.landed = t.takes()
	}
	if t.landed && !t.over {
		t.accuse()
	}
	return len(t.left) == 0 && t.cover()
}

// takes reports whether the store takes anything just now: the witness, whose rows are there already, or else, before its turn, a conversation of which there is nothing in the batch, nor between: what is
// between would be written over it. Both are written once more, or later, and that changes nothing.
func (t *trial) takes() bool {
	if t.witness != nil {
		return t.proves(t.witness)
	}
	return slices.ContainsFunc(t.bystanders(), t.proves)
}

// proves writes a record, and reports whether the store took it.
func (t *trial) proves(r *record) bool {
	t.mu.Lock()
	groups := []persistence.Group{r.group(t.config.Epochs[r.shard])}
	t.mu.Unlock()
	results, err := t.config.Store.Commit(t.ctx, persistence.Batch{Clock: t.config.Now(), Groups: groups})
	return err == nil && results[0].Err == nil
}

// mostBystanders is how many conversations beside the batch are tried: some of them may be at fault as well.
const mostBystanders = 4

// bystanders returns some records of later batches that are the first of their conversations. Nobody owes them rows.
func (t *trial) bystanders() (some []*record) {
	t.mu.Lock()
	open := t.open
	t.mu.Unlock()
	t.collect(open)
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := map[string]bool{}
	for b := range t.oldestFirst() {
		for _, r := range b.order {
			if !seen[r.name] && b != t.batch && r.live == nil && len(r.rows.list) > 0 {
				some = append(some, r)
			}
			seen[r.name] = true
			if len(some) == mostBystanders {
				return some
			}
		}
	}
	return some
}

// cover has the store know that the batch, all of which is there, need not be carried out again, unless that stood with the last of it. It reports whether that is so.
func (t *trial) cover() bool {
	if t.covered || t.batch.position == 0 {
		return true
	}
	t.failure = t.commit(t.batch, nil, t.number, t.batch.position)
	t.covered = t.failure == nil
	return t.covered
}

// bring writes records: together, or, after some attempts, in ever smaller parts. It returns those that are not in the store, as far as is known.
func (t *trial) bring(records []*record) (left []*record) {
	// So many failures in a row are what it takes to get down to a single record and the one beside it. A store that is down is not bothered more than that.
	if t.over || t.misses > bits.Len(uint(len(t.left))) {
		return records
	}
	var covers persistence.Position
	if len(records) == len(t.left) {
		covers = t.batch.position
	}
	err := t.commit(t.batch, records, t.number, covers)
	if err == nil {
		t.landed, t.misses, t.covered = true, 0, covers != 0
		t.testify(records)
		return nil
	}
	t.failure = err
	t.misses++
	switch {
	case t.ctx.Err() != nil || errors.Is(err, persistence.ErrFenced) || errors.Is(err, persistence.ErrStoreFull):
		t.over = true // no record is to blame
		return records
	case len(records) == 1:
		t.alone = append(t.alone, records[0])
		return records
	case t.number <= patience:
		return records
	}
	parts := [2][]*record{records[:len(records)/2], records[len(records)/2:]}
	// Where the first records of all parts are at fault, another order finds one that is not.
	first := rand.N(2) //nolint:gosec // it decides nothing but the order
	return slices.Concat(t.bring(parts[first]), t.bring(parts[1-first]))
}

// testify makes a record that is in the store the witness.
func (t *trial) testify(records []*record) {
	for _, r := range records {
		if t.batch.records[r.name] == r { // it was not dropped
			t.witness = r
			return
		}
	}
}

// accuse drops records that the store failed again and again while it took others. It has to be very sure of those that are logged: somebody was told that they are committed, and they are not to be lost because a store
// fails at random.
func (t *trial) accuse() {
	for _, r := range t.alone {
		enough := patience
		if r.logged {
			enough = patienceLogged
		}
		if r.failures++; r.failures >= enough {
			t.left = slices.DeleteFunc(t.left, func(other *record) bool { return other == r })
			t.drop(r, t.failure)
		}
	}
}
