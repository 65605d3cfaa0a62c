package persistencetest

import (
	"bytes"
	"context"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// Commit implements [persistence.Store].
func (s *Store) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	for i := range batch.Groups {
		if err := checkKeys(&batch.Groups[i]); err != nil {
			return nil, fmt.Errorf("persistencetest: commit: group %d: %w", i, err)
		}
	}
	f := s.faults.Load()
	if err := s.begin(ctx, f, OpCommit); err != nil {
		return nil, err
	}
	defer s.end()
	if f.BeforeCommit != nil {
		if err := f.BeforeCommit(batch); err != nil {
			return nil, err
		}
	}
	results, err := s.commit(f, batch)
	if err != nil {
		return nil, err
	}
	if f.AfterCommit != nil {
		if err := f.AfterCommit(batch, results); err != nil {
			return nil, err
		}
	}
	return results, s.change(func() error { return nil })
}

func (s *Store) commit(f *Faults, batch persistence.Batch) ([]persistence.Result, error) {
	err := s.change(func() error {
		s.clock = max(s.clock, batch.Clock)
		return nil
	})
	if err != nil {
		return nil, err
	}
	results := make([]persistence.Result, len(batch.Groups))
	for i := range batch.Groups {
		if err = f.beforeGroup(batch, i); err != nil {
			break
		}
		if err = s.change(func() error {
			results[i] = s.apply(&batch.Groups[i])
			return nil
		}); err != nil {
			return nil, err
		}
	}
	// What was written of a batch that failed half way is there for readers, too.
	if gone := s.change(func() error {
		if err == nil {
			s.cover(batch.Logged)
		}
		s.publish()
		return nil
	}); gone != nil {
		return nil, gone
	}
	return results, err
}

// apply writes one group, under the lock.
func (s *Store) apply(g *persistence.Group) persistence.Result {
	if err := s.refuses(g); err != nil {
		return persistence.Result{Err: err}
	}
	owner := s.owner(g.Shard)
	s.trust(g.Requires, g.Seen)
	for _, del := range g.Deletes {
		s.trust(del.Key, del.Seen)
	}
	if g.Requires != nil && !s.rows.Has(persistence.Row{Key: g.Requires}) {
		return persistence.Result{Skipped: true}
	}
	before := s.rows
	if len(g.Deletes) > 0 {
		before = s.rows.Clone() // a guard may turn out to be unreadable
	}
	var result persistence.Result
	for _, put := range g.Puts {
		if !put.IfPresent || s.rows.Has(persistence.Row{Key: put.Key}) {
			s.put(put.Key, put.Value)
		}
	}
	for _, del := range g.Deletes {
		removed, err := s.remove(del)
		if err != nil {
			s.rows = before
			return persistence.Result{Err: err}
		}
		if removed && !del.IsBlind() {
			result.Deleted++
		}
	}
	if len(g.Events) > 0 {
		result.FirstEvent = owner.NextEvent
		for _, event := range g.Events {
			s.put(persistence.EventKey(g.Shard, owner.NextEvent), event)
			owner.NextEvent++
		}
		s.put(persistence.OwnerKey(g.Shard), owner.Encode())
	}
	result.NextEvent = owner.NextEvent
	return result
}

// trust panics where a row cannot have been seen as somebody says: a store that took it for the truth would delete what must stay.
func (s *Store) trust(key []byte, seen persistence.Sight) {
	if seen.Snapshot == 0 || s.written[string(key)] > seen.Snapshot {
		return
	}
	row, ok := s.rows.Get(persistence.Row{Key: key})
	if !ok {
		panic(fmt.Sprintf("persistencetest: %q was seen in snapshot %d, and is not there", key, seen.Snapshot))
	}
	if generation, err := persistence.GenerationOf(row.Value); seen.Generation != 0 && (err != nil || generation != seen.Generation) {
		panic(fmt.Sprintf("persistencetest: %q was seen in snapshot %d with generation %d, and has %d, %v", key, seen.Snapshot, seen.Generation, generation, err))
	}
}

func (s *Store) remove(del persistence.Delete) (bool, error) {
	row, ok := s.rows.Get(persistence.Row{Key: del.Key})
	if !ok {
		return false, nil
	}
	if del.UpTo != 0 {
		generation, err := persistence.GenerationOf(row.Value)
		if err != nil {
			return false, fmt.Errorf("guarded delete of %q: %w", del.Key, err)
		}
		if generation > del.UpTo {
			return false, nil
		}
	}
	if del.Replace != nil {
		s.put(del.Key, del.Replace)
	} else {
		s.rows.Delete(persistence.Row{Key: del.Key})
		s.written[string(del.Key)] = s.number + 1
	}
	return true, nil
}

func (s *Store) put(key, value []byte) {
	s.rows.ReplaceOrInsert(persistence.Row{Key: bytes.Clone(key), Value: bytes.Clone(value)})
	s.written[string(key)] = s.number + 1
}

func (s *Store) owner(shard persistence.Shard) persistence.Owner {
	row, ok := s.rows.Get(persistence.Row{Key: persistence.OwnerKey(shard)})
	if !ok {
		return persistence.Owner{}
	}
	owner, err := persistence.DecodeOwner(row.Value)
	if err != nil {
		panic(err) // nothing but Acquire and apply writes these rows
	}
	return owner
}

func tooLarge(g *persistence.Group) bool {
	rows, size := len(g.Puts)+len(g.Deletes)+len(g.Events), 0
	for i := range g.Puts {
		size += len(g.Puts[i].Key) + len(g.Puts[i].Value)
	}
	for i := range g.Deletes {
		size += len(g.Deletes[i].Key) + len(g.Deletes[i].Replace)
	}
	for _, event := range g.Events {
		size += len(event)
	}
	return rows > MaxGroupRows || size > MaxGroupBytes
}

func checkKeys(g *persistence.Group) error {
	check := func(what string, key []byte) error {
		switch kind := persistence.KindOf(key); {
		case len(key) == 0:
			return fmt.Errorf("%s: %w: it is empty", what, persistence.ErrKey)
		case kind == persistence.KindOwner || kind == persistence.KindStore:
			return fmt.Errorf("%s: %w: %q is the store's own", what, persistence.ErrKey, key)
		}
		return nil
	}
	for _, put := range g.Puts {
		if err := check("put", put.Key); err != nil {
			return err
		}
	}
	for _, del := range g.Deletes {
		if err := check("delete", del.Key); err != nil {
			return err
		}
	}
	return nil
}
