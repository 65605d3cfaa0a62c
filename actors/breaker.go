package actors

import "time"

// breaker says how large a batch of deletions may be. It shrinks when batches fail, down to one generation alone, which finds the one that the store will not have; and when they take long,
// because whoever else writes waits for each. It grows again, twofold, with each batch that neither does. Where deletions are late it grows beyond its usual size, however long batches take: on a
// slow disk, or a busy machine, each takes about as long whatever is in it, and smaller ones would make for more of them.
type breaker struct {
	full     int // rows of a batch
	rows     int // that the next one may have
	room     int // how many generations the next one may have; 0: any number
	most     int // batches that may be under way
	failures int // of batches in a row
}

const (
	// slowBatch is what a batch may take, unless the journal's take nearly as long without deletions: slowParts of that. Proposals that are committed meanwhile wait for as long.
	slowBatch = 100 * time.Millisecond
	slowParts = 4
	// leastShare of a full batch is tried however long it takes.
	leastShare = 16
	// lateParts is how many times a full batch one may have where deletions are late.
	lateParts = 4
)

// newBreaker returns a breaker for batches of so many rows, whether or not there is a pace.
func newBreaker(rows int, paced bool) breaker {
	b := breaker{full: rows, rows: rows, most: maxFlights}
	if paced {
		b.most = pacedFlights
	}
	return b
}

// succeeded takes in that a batch was written, and how long that took; how long the journal's batches take without deletions; and whether deletions are later than is tolerable.
func (b *breaker) succeeded(took, quiet time.Duration, late bool) {
	b.failures = 0
	if b.room > 0 {
		if b.room *= 2; b.room >= b.full {
			b.room = 0
		}
	}
	switch {
	case late:
		b.rows = min(b.rows*2, b.full*lateParts)
	case took > max(slowBatch, slowParts*quiet):
		b.rows = max(min(b.rows, b.full)/2, b.full/leastShare, 1)
	default:
		b.rows = min(b.rows*2, b.full)
	}
}

// failed takes in that a batch of some generations was not written, and returns how long to wait.
func (b *breaker) failed(generations int) (wait time.Duration) {
	b.failures++
	b.room = max(1, generations/2)
	return backOff(b.failures, longestBackOff)
}

// flights is how many batches may be under way. One by one they tell which generation it is that the store will not have.
func (b *breaker) flights() int {
	if b.failures > 0 || b.room > 0 {
		return 1
	}
	return b.most
}

const (
	// maxFlights: while the store writes one batch, the next one is in the transaction that comes after that, and the members of a third are read.
	maxFlights = 3
	// pacedFlights: where proposals matter as well, no more than one of them is in the same transaction as they are, and the members of the next one are read.
	pacedFlights = 2
)
