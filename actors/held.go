package actors

import (
	"maps"
	"sync"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Held is what the reaper's next batch waits for.
type Held string

// What may hold it.
const (
	HeldByNothing    Held = ""         // there is nothing to delete, or it is being deleted
	HeldByJudging    Held = "judging"  // what came due is not known to be over yet
	HeldByJournal    Held = "journal"  // changes of what is over are not in the store yet
	HeldByBatchDelay Held = "batch"    // others may come to share the batch: ReaperConfig.BatchDelay
	HeldByPace       Held = "pace"     // ReaperConfig.MinRowsPerSecond and MaxRowsPerSecond
	HeldByBackOff    Held = "back_off" // the last batch failed
)

// holding adds up for how long the reaper was held back, and by what.
type holding struct {
	mu    sync.Mutex
	by    Held
	since persistence.Instant // zero: the reaper has not said anything yet
	total map[Held]time.Duration
}

// becomes notes what holds the reaper back from now on.
func (h *holding) becomes(by Held, now persistence.Instant) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(now)
	h.by = by
}

// add counts the time since it was last called. h.mu is held.
func (h *holding) add(now persistence.Instant) {
	if h.since != 0 && now > h.since {
		if h.total == nil {
			h.total = map[Held]time.Duration{}
		}
		h.total[h.by] += now.Sub(h.since)
	}
	h.since = max(h.since, now)
}

// stats returns what holds the reaper back now, and for how long each has.
func (h *holding) stats(now persistence.Instant) (by Held, total map[Held]time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since != 0 {
		h.add(now)
	}
	total = map[Held]time.Duration{HeldByJudging: 0, HeldByJournal: 0, HeldByBatchDelay: 0, HeldByPace: 0, HeldByBackOff: 0}
	maps.Copy(total, h.total)
	delete(total, HeldByNothing)
	return h.by, total
}
