package badgerstore

import (
	"errors"
	"fmt"
	"maps"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// ledger is what the committer knows of the rows that only it writes: the shards' owners and the clock. It moves only with what was really
// committed, and forgets everything after a commit whose outcome is unknown, so that the next one reads what is there.
type ledger struct {
	owners     map[persistence.Shard]persistence.Owner
	clock      persistence.Instant
	clockKnown bool
}

func newLedger() *ledger { return &ledger{owners: make(map[persistence.Shard]persistence.Owner)} }

// owner returns a shard's owner; the zero Owner where the shard never had one.
func (l *ledger) owner(txn *badger.Txn, shard persistence.Shard) (persistence.Owner, error) {
	if owner, ok := l.owners[shard]; ok {
		return owner, nil
	}
	value, err := read(txn, persistence.OwnerKey(shard))
	if errors.Is(err, persistence.ErrNotFound) {
		return persistence.Owner{}, nil
	}
	if err != nil {
		return persistence.Owner{}, err
	}
	owner, err := persistence.DecodeOwner(value)
	if err != nil {
		return persistence.Owner{}, fmt.Errorf("shard %d: %w", shard, err)
	}
	l.owners[shard] = owner
	return owner, nil
}

// highest returns the highest clock ever committed.
func (l *ledger) highest(txn *badger.Txn) (persistence.Instant, error) {
	if l.clockKnown {
		return l.clock, nil
	}
	clock, err := readNumber(txn, rowClock)
	if err != nil {
		return 0, err
	}
	l.clock, l.clockKnown = persistence.Instant(clock), true
	return l.clock, nil
}

func (l *ledger) committed(t *transaction) {
	maps.Copy(l.owners, t.owners)
	if t.clock != 0 {
		l.clock, l.clockKnown = t.clock, true
	}
}

func (l *ledger) forget() {
	clear(l.owners)
	l.clockKnown = false
}

func read(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, persistence.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get %q: %w", key, err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("get %q: %w", key, err)
	}
	return value, nil
}
