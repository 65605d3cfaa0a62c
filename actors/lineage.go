package actors

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// lineage is the starts of engines on a store, which a cursor must be of to mean anything: a copy of the store that was put back from a backup has not seen the starts
// since, nor what the start that it was taken in changed after that.
type lineage struct {
	current uint64
	before  persistence.Lineage
}

// begin adds a start to the store's lineage.
func begin(ctx context.Context, store persistence.Store, epoch persistence.Epoch) (lineage, error) {
	before, err := readLineage(ctx, store)
	if err != nil {
		return lineage{}, err
	}
	if n := len(before); n > 0 && before[n-1].Until == 0 {
		before[n-1].Until = store.Meta().Clock
	}
	before = before[max(0, len(before)+1-persistence.MaxLineage):]
	var drawn [8]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return lineage{}, fmt.Errorf("draw a mark: %w", err)
	}
	l := lineage{current: binary.BigEndian.Uint64(drawn[:]), before: before}
	return l, l.write(ctx, store, epoch, 0)
}

// end notes that everything which was told is in the store. Where it is not noted, whoever was told of something before it was committed is told everything anew.
func (l *lineage) end(ctx context.Context, store persistence.Store, epoch persistence.Epoch) error {
	return l.write(ctx, store, epoch, persistence.Never)
}

func (l *lineage) write(ctx context.Context, store persistence.Store, epoch persistence.Epoch, until persistence.Instant) error {
	all := slices.Concat(l.before, persistence.Lineage{{Mark: l.current, Until: until}})
	group := persistence.Group{Epoch: epoch, Puts: []persistence.Put{{Key: persistence.LineageKey(), Value: all.Encode()}}}
	results, err := store.Commit(ctx, persistence.Batch{Groups: []persistence.Group{group}})
	if err != nil {
		return err
	}
	return results[0].Err
}

func readLineage(ctx context.Context, store persistence.Store) (persistence.Lineage, error) {
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	value, err := snapshot.Get(ctx, persistence.LineageKey())
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return persistence.DecodeLineage(value)
}

// knows reports whether everything that a start had in its store up to an instant is in this one.
func (l *lineage) knows(mark uint64, upTo persistence.Instant) bool {
	if mark == l.current {
		return true
	}
	for _, began := range l.before {
		if began.Mark == mark {
			return upTo <= began.Until
		}
	}
	return false
}
