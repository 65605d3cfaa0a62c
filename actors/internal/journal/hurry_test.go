package journal_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// Who waits has the rows encoded at once, beside the write that is under way; a conversation that changes on and on has that done once for each batch.
func TestRowsThatSomebodyWaitsForAreEncodedAtOnceAndOnceInABatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		release := f.hold(nil)
		other, quiet := newCounter(f, "group:other"), newCounter(f, "group:quiet")
		waiters := []*waiter{{}, {}, {}}
		change := func(c *counter, w *waiter, encoded bool) {
			t.Helper()
			var told journal.Waiter
			if w != nil {
				told = w
			}
			if _, err := c.change(false, told); err != nil {
				t.Fatal(err)
			}
			if (c.Dirty() == 0) != encoded {
				t.Errorf("change %d of %s: %d rows are not encoded, want that to be done: %v", c.n, c.name, c.Dirty(), encoded)
			}
		}
		change(other, waiters[0], true)
		f.advance(time.Millisecond) // its batch is being written
		c := newCounter(f, "group:1")
		change(c, waiters[1], true)
		change(c, waiters[2], false)
		change(quiet, nil, false)
		release()
		f.advance(interval)
		f.wantStored(persistence.HeadKey("group:1"), "2")
		f.wantStored(persistence.HeadKey("group:quiet"), "1")
		change(c, &waiter{}, true)
		f.advance(interval)
		f.wantStored(persistence.HeadKey("group:1"), "3")
	})
}
