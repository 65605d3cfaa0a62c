package badgerstore

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// Scan implements [persistence.Snapshot].
func (s *snapshot) Scan(ctx context.Context, ranges ...persistence.Range) iter.Seq2[persistence.Row, error] {
	return func(yield func(persistence.Row, error) bool) {
		if err := s.scan(ctx, ranges, yield); err != nil {
			yield(persistence.Row{}, err)
		}
	}
}

// scan returns the error that ends the sequence, or nil where it ended without one.
func (s *snapshot) scan(ctx context.Context, ranges []persistence.Range, yield func(persistence.Row, error) bool) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if len(ranges) == 0 {
		return nil
	}
	it := s.published.txn.NewIterator(badger.IteratorOptions{
		// Values are inline: fetching them ahead costs a goroutine each and gains nothing.
		PrefetchValues: false,
		// Lets Badger leave out the tables that cannot hold any key of the ranges.
		Prefix: sharedPrefix(persistence.Range{Start: ranges[0].Start, End: ranges[len(ranges)-1].End}),
	})
	defer it.Close()
	var value []byte
	for i, r := range ranges {
		// Behind the range before it stands at the first key that is not in that. Where that is not before this one, there is none between the two.
		if i == 0 || it.Valid() && bytes.Compare(it.Item().Key(), r.Start) < 0 {
			it.Seek(r.Start)
		}
		for ; it.Valid(); it.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.all.reads.closed() {
				return persistence.ErrClosed
			}
			item := it.Item()
			key := item.Key()
			if r.End != nil && bytes.Compare(key, r.End) >= 0 {
				break
			}
			var err error
			if value, err = item.ValueCopy(value); err != nil {
				return fmt.Errorf("badgerstore: scan at %q: %w", key, err)
			}
			if !yield(persistence.Row{Key: key, Value: value}, nil) {
				return nil
			}
		}
	}
	return nil
}

// sharedPrefix returns a prefix that all keys of the range have. A range that holds exactly the keys with some prefix, or those of them
// behind a certain one, ends with that prefix counted up by one.
func sharedPrefix(r persistence.Range) []byte {
	n := 0
	for n < len(r.Start) && n < len(r.End) && r.Start[n] == r.End[n] {
		n++
	}
	if n < len(r.Start) && n == len(r.End)-1 && r.Start[n]+1 == r.End[n] {
		n++
	}
	return r.Start[:n]
}
