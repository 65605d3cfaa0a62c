package actors

import (
	"bytes"
	"maps"
	"sync"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Census is how much of each kind of row the store has. It was counted in pieces, while changes were made: each piece is as of its own moment, none before At - Took.
type Census struct {
	At    time.Time                         // when the last piece was counted, by the engine's clock; zero: there was no census yet
	Age   time.Duration                     // since At, as of the call
	Took  time.Duration                     // from the first piece to the last
	Kinds map[persistence.Kind]CensusOfKind // every kind, also those of which there is none; not to be changed
	Err   error                             // why the census under way is held up
}

// CensusOfKind is how much there is of a kind of row.
type CensusOfKind struct {
	Rows  uint64
	Bytes uint64 // of keys and values, as the engine writes them: what they take on disk depends on the store
}

// census counts the rows of the store, every now and then.
//
// A step reads a bounded number of rows from a snapshot of its own, so that none is held open for long, and then rests for several times as long as that took: a census takes a tenth of
// a core at most, and the longer the more rows there are. After a restart it begins anew.
type census struct {
	*chore

	known sync.Mutex
	last  Census

	// Only the step under way uses these.
	after    []byte // the last key that was counted; nil: none
	began    persistence.Instant
	counted  map[persistence.Kind]CensusOfKind
	failures int // of steps in a row
}

const (
	// censusSoon is how long after the start the first census begins at the latest.
	censusSoon = 10 * time.Second
	// censusReads is how many rows a step reads at most.
	censusReads = 4_096
	// censusRest is how many times as long as its reading took a step rests, and censusRestLeast for how long at least.
	censusRest      = 9
	censusRestLeast = 10 * time.Millisecond
)

func newCensus(e *Engine) *census {
	c := &census{}
	c.chore = newChore(e, c.look)
	return c
}

// start has the first census begin when its time comes, unless none is wanted.
func (c *census) start() {
	if every := c.engine.config.CensusEvery; every > 0 {
		c.arm(min(censusSoon, every))
	}
}

// latest returns the last census that was completed.
func (c *census) latest() Census {
	c.known.Lock()
	defer c.known.Unlock()
	last := c.last
	if !last.At.IsZero() {
		last.Age = c.engine.clock.now().Sub(persistence.InstantOf(last.At))
	}
	return last
}

// look counts on from where the last one ended, and returns how long to rest.
func (c *census) look() (rest time.Duration) {
	began := c.engine.clock.now()
	if c.after == nil {
		c.began, c.counted = began, map[persistence.Kind]CensusOfKind{}
		for _, kind := range persistence.Kinds() {
			c.counted[kind] = CensusOfKind{}
		}
	}
	after, more, err := c.count()
	now := c.engine.clock.now()
	c.known.Lock()
	defer c.known.Unlock()
	c.last.Err = err
	if err != nil {
		c.failures++
		return backOff(c.failures, longestBackOff)
	}
	c.failures = 0
	if c.after = after; more {
		return max(censusRestLeast, censusRest*now.Sub(began))
	}
	c.after = nil
	c.last = Census{At: now.Time(), Took: now.Sub(c.began), Kinds: c.counted}
	return c.engine.config.CensusEvery
}

// count reads a piece and returns its last key, and whether there may be more behind that. A piece that fails is not counted.
func (c *census) count() (after []byte, more bool, err error) {
	all := persistence.AllRows()
	if c.after != nil {
		all = all.After(c.after)
	}
	snapshot, err := c.engine.store.Snapshot()
	if err != nil {
		return nil, false, err
	}
	defer snapshot.Close()
	piece := maps.Clone(c.counted)
	read := 0
	for row, err := range snapshot.Scan(c.ctx, all) {
		if err != nil {
			return nil, false, err
		}
		kind := persistence.KindOf(row.Key)
		of := piece[kind]
		piece[kind] = CensusOfKind{Rows: of.Rows + 1, Bytes: of.Bytes + uint64(len(row.Key)+len(row.Value))}
		if read++; read == censusReads {
			c.counted = piece
			return bytes.Clone(row.Key), true, nil
		}
	}
	c.counted = piece
	return nil, false, nil
}
