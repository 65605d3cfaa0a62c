package actors

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// overdue returns for how long the oldest generation that the reaper is dealing with has been over its deadline; 0 where there is none. What it is judging just now is in
// that: some of it will turn out to be due later.
func (e *Engine) overdue(now persistence.Instant) time.Duration {
	keys, _ := e.agenda.overdue(now)
	oldest := now
	for _, key := range keys {
		if _, due, _, err := persistence.ParseDueKey([]byte(key)); err == nil {
			oldest = min(oldest, due)
		}
	}
	return now.Sub(oldest)
}
