package actors

import (
	"sync"

	"github.com/parley-im/parley/persistence"
)

// deletions knows since when batches of deletions are under way: they are stamped before they are in the store.
type deletions struct {
	mu   sync.Mutex
	next uint64
	open map[uint64]persistence.Instant
}

// begin notes one that is stamped with what now returns, and returns its stamp and a func to call once it is in the store, or known not to be.
func (d *deletions) begin(now func() persistence.Instant) (stamp persistence.Instant, done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[uint64]persistence.Instant{}
	}
	d.next++
	id := d.next
	stamp = now()
	d.open[id] = stamp
	return stamp, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.open, id)
	}
}

func (d *deletions) lowest() persistence.Instant {
	d.mu.Lock()
	defer d.mu.Unlock()
	lowest := persistence.Never
	for _, stamp := range d.open {
		lowest = min(lowest, stamp)
	}
	return lowest
}

// settled returns an instant such that every change with a lower stamp is in the store and in the published snapshot, and that the store's own clock has reached: after a
// restart, or a crash, no change has a stamp between what the store holds and this. Changes to come have this stamp, or a higher one.
//
// A change is announced by its worker, then stamped, then added to the journal, perhaps after it was in place for a while, then committed; a deletion is stamped, then committed. Whoever is asked about the later first could be told of neither, so the
// order is that of the change: the clock, those who are applying, what is in place, the journal, the store.
func (e *Engine) settled() persistence.Instant {
	low := min(e.clock.now(), e.deletions.lowest())
	for _, w := range e.workers {
		if since := w.applying.Load(); since != 0 {
			low = min(low, persistence.Instant(since))
		}
	}
	low = min(low, e.unsettled())
	return min(low, e.journal.Stamp(), e.store.Meta().Clock)
}
