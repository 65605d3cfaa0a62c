package conversation_test

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// table is rows by their keys: a store's snapshot of one conversation.
type table map[string][]byte

var _ persistence.Snapshot = table(nil)

func membershipKey(user string) string { return string(persistence.MembershipKey(user, name)) }

// Get implements persistence.Snapshot.
func (t table) Get(_ context.Context, key []byte) ([]byte, error) {
	value, ok := t[string(key)]
	if !ok {
		return nil, persistence.ErrNotFound
	}
	return value, nil
}

// Number implements persistence.Snapshot.
func (table) Number() uint64 { return 1 }

// Scan implements persistence.Snapshot.
func (t table) Scan(_ context.Context, ranges ...persistence.Range) iter.Seq2[persistence.Row, error] {
	return func(yield func(persistence.Row, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(t)) {
			if !slices.ContainsFunc(ranges, func(r persistence.Range) bool { return string(r.Start) <= key && key < string(r.End) }) {
				continue
			}
			if !yield(persistence.Row{Key: []byte(key), Value: t[key]}, nil) {
				return
			}
		}
	}
}

// Close implements persistence.Snapshot.
func (t table) Close() {}

// dues returns the due entries, by when they are due.
func (t table) dues() map[persistence.Instant]persistence.Due {
	found := map[persistence.Instant]persistence.Due{}
	for key, value := range t {
		if _, at, _, err := persistence.ParseDueKey([]byte(key)); err == nil {
			due, err := persistence.DecodeDue(value)
			if err != nil {
				panic(err)
			}
			found[at] = due
		}
	}
	return found
}
