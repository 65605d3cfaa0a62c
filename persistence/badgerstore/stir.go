package badgerstore

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// rowBallast names a row of the store's own that is there only while a memtable is being filled up, or after a crash of that. Its value is zeros.
const rowBallast = "ballast"

// ballastBytes is what one write of ballast adds to a memtable: as much as a value may have, so that a memtable is full after 17 of them. Compressed
// in a table, it is next to nothing.
const ballastBytes = maxValue - 1

// stirring is what a request of maintenance has the committer write.
type stirring struct {
	touch   [][]byte // rows to write once more as they are, or to delete once more where there is none
	ballast bool     // write it
	clear   bool     // delete it
}

// stir carries a request of maintenance out. It changes no row of anybody else's.
func (c *committer) stir(r *request) {
	size := fixed.bytes + ballastBytes
	for _, key := range r.stir.touch {
		size += int64(len(key)) + maxValue/100 // more than any row takes, on average
	}
	if r.err = c.space.take(size); r.err != nil {
		return
	}
	c.settle() // so that what is read is what there is: the rows that this writes meanwhile are not read again
	for _, key := range r.stir.touch {
		if err := c.touch(r, key); err != nil {
			c.abandon(err)
		}
		if !r.goesOn() {
			return
		}
	}
	ballast := row{key: persistence.StoreKey(rowBallast), remove: r.stir.clear}
	if r.stir.ballast {
		ballast.value = make([]byte, ballastBytes)
	}
	if r.stir.ballast || r.stir.clear {
		if !c.ride(r, entry(len(ballast.key), len(ballast.value))) {
			return
		}
		if err := c.open.write(ballast); err != nil {
			c.abandon(err)
		}
	}
}

// touch writes one row again. What was written before may be sent on the way, and lost.
func (c *committer) touch(r *request, key []byte) error {
	if len(key) == 0 || bytes.HasPrefix(key, []byte(reserved)) {
		return nil
	}
	if !c.ride(r, entry(len(key), maxValue)) {
		return nil
	}
	item, err := c.open.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return c.open.write(row{key: key, remove: true})
	}
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	return c.open.write(row{key: key, value: value})
}
