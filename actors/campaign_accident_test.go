package actors_test

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// backup is a copy of the store, and of the model as it was then.
type backup struct {
	store    *persistencetest.Store
	accounts map[string]*account
	past     map[past]*account
	seen     map[string]uint64
}

// accident is something that happens seldom.
func (c *campaign) accident() {
	c.t.Helper()
	switch n := c.random.IntN(10); {
	case n < 2:
		c.note("hours go by")
		if c.random.IntN(3) > 0 {
			c.Heal() // a reaper that fails for hours tries thousands of times
		}
		c.advance(time.Duration(c.random.IntN(int(4 * time.Hour))))
	case n < 3:
		c.note("minutes go by")
		c.advance(time.Duration(c.random.IntN(int(90 * time.Minute))))
	case n < 5:
		c.note("the reaper fails")
		c.failReaping()
	case n < 6:
		c.note("the reaper works")
		c.Heal()
	case n < 8 || c.backup == nil:
		c.note("a backup")
		c.takeBackup()
	default:
		c.note("the backup is put back")
		c.restore()
		for c.random.IntN(2) == 0 {
			c.Restart()
		}
	}
}

// takeBackup has everything that was applied in the copy. The copy's model stands still while the campaign goes on.
func (c *campaign) takeBackup() {
	c.t.Helper()
	c.barrier()
	c.Advance(0)
	c.lookAtTheExpired()
	b := &backup{store: c.Store.Copy(), accounts: map[string]*account{}, past: map[past]*account{}, seen: maps.Clone(c.seen)}
	for name, a := range c.accounts {
		b.accounts[name] = a.copy()
	}
	for key, a := range c.past {
		if !a.told {
			b.past[key] = a.copy()
		}
	}
	c.backup = b
	c.Advance(time.Microsecond) // no store commits twice in one, but for those of tests: what it held would not be known by its clock
}

// restore puts the backup back, once.
func (c *campaign) restore() {
	c.t.Helper()
	c.tally["restored"]++
	c.Restore(c.backup.store)
	c.accounts, c.past, c.seen, c.gone = c.backup.accounts, c.backup.past, c.backup.seen, nil
	c.backup = nil
	c.mu.Lock()
	c.expired = nil
	c.mu.Unlock()
	c.look(c.names...)
}

// failReaping keeps the reaper from deleting anything, or from knowing that it did, or lets a part of a batch through.
func (c *campaign) failReaping() {
	broken := errors.New("the store takes no deletions")
	reaps := func(g *persistence.Group) bool { return g.Requires != nil }
	switch c.random.IntN(3) {
	case 0:
		c.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if slices.ContainsFunc(b.Groups, func(g persistence.Group) bool { return reaps(&g) }) {
				return broken
			}
			return nil
		}})
	case 1:
		c.Store.SetFaults(persistencetest.Faults{BeforeGroup: func(b persistence.Batch, index int) error {
			if index > 0 && reaps(&b.Groups[index]) {
				return broken
			}
			return nil
		}})
	default:
		c.Store.SetFaults(persistencetest.Faults{AfterCommit: func(b persistence.Batch, _ []persistence.Result) error {
			if slices.ContainsFunc(b.Groups, func(g persistence.Group) bool { return reaps(&g) }) {
				return broken
			}
			return nil
		}})
	}
}
