package parley

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// Rows has an engine commit one post to each of the Known conversations, as [OpenCommits] does, and returns the rows that it wrote for each: what a peer
// that writes the same has to write. Nothing of the engine is left when it returns.
func Rows(ctx context.Context, p side.Params) (groups [][]persistence.Row, err error) {
	var notes *notes
	r, err := start(ctx, p, badgerstore.Options{NoSync: true}, configFor(p), func(store persistence.Store) persistence.Store {
		notes = newNotes(store)
		return notes
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }() //nolint:contextcheck // it ends whatever became of ctx
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	notes.take()
	s := &commits{newPosts(r, p)}
	if err := s.commitAll(ctx); err != nil {
		return nil, err
	}
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	return notes.take(), nil
}

// notes is a store that notes what is written to it.
type notes struct {
	persistence.Store

	mu     sync.Mutex
	groups [][]persistence.Row
}

func newNotes(store persistence.Store) *notes { return &notes{Store: store} }

// Commit implements [persistence.Store].
func (n *notes) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	n.mu.Lock()
	for _, group := range batch.Groups {
		rows := make([]persistence.Row, 0, len(group.Puts))
		for _, put := range group.Puts {
			rows = append(rows, persistence.Row{Key: slices.Clone(put.Key), Value: slices.Clone(put.Value)})
		}
		if len(rows) > 0 {
			n.groups = append(n.groups, rows)
		}
	}
	n.mu.Unlock()
	return n.Store.Commit(ctx, batch)
}

// take returns what was noted since it was called last.
func (n *notes) take() [][]persistence.Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	groups := n.groups
	n.groups = nil
	return groups
}
