package journal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/internal/journal"
)

// What was owed first had been added by a reader, so that nothing is gathered; meanwhile there came more.
func TestWhatIsOwedWhileNothingIsGatheredIsWrittenAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f *fixture
		gathered := 0
		f = newFixture(t, func(c *journal.Config) {
			c.Oldest = c.Now
			c.Gather = func(int) {
				gathered++
				switch gathered {
				case 1:
					f.Owe(1)
				case 2:
					f.add("group:2", head("group:2", "1"))
				default:
					return
				}
				f.Owe(-1)
			}
		})
		f.Owe(1)
		f.advance(time.Minute)
		f.wantStored(head("group:2", "").Key, "1")
		if err := f.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
