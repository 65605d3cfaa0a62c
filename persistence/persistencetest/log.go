package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// errNotForLog says that a batch has something in it that would not be the same where it is carried out twice.
var errNotForLog = errors.New("persistencetest: only puts, and deletes without a guard, can be logged")

// logged is a batch that was logged.
type logged struct {
	position persistence.Position
	batch    persistence.Batch
}

// Log implements [persistence.Store].
func (s *Store) Log(ctx context.Context, batch persistence.Batch) (persistence.Position, error) {
	for i := range batch.Groups {
		if err := checkLog(&batch.Groups[i]); err != nil {
			return 0, fmt.Errorf("persistencetest: log: group %d: %w", i, err)
		}
	}
	f := s.faults.Load()
	if err := s.begin(ctx, f, OpLog); err != nil {
		return 0, err
	}
	defer func() { <-s.logTurn }()
	if f.BeforeCommit != nil {
		if err := f.BeforeCommit(batch); err != nil {
			return 0, err
		}
	}
	var position persistence.Position
	if err := s.change(func() error {
		for i := range batch.Groups {
			if err := s.refuses(&batch.Groups[i]); err != nil {
				return err
			}
		}
		s.position++
		position = s.position
		s.clock = max(s.clock, batch.Clock)
		s.logged = append(s.logged, logged{position, copied(batch)})
		return nil
	}); err != nil {
		return 0, err
	}
	if f.AfterCommit != nil {
		if err := f.AfterCommit(batch, nil); err != nil {
			return position, err
		}
	}
	return position, s.change(func() error { return nil })
}

func checkLog(g *persistence.Group) error {
	if g.Requires != nil || len(g.Events) > 0 {
		return errNotForLog
	}
	for _, del := range g.Deletes {
		if del.UpTo != 0 || del.Replace != nil {
			return errNotForLog
		}
	}
	return checkKeys(g)
}

// refuses returns why a group is not written, whatever its guards say. s.mu is held.
func (s *Store) refuses(g *persistence.Group) error {
	if owner := s.owner(g.Shard); owner.Epoch == 0 || owner.Epoch != g.Epoch {
		return fmt.Errorf("%w: shard %d has epoch %d, the group %d", persistence.ErrFenced, g.Shard, owner.Epoch, g.Epoch)
	}
	if tooLarge(g) {
		return persistence.ErrGroupTooLarge
	}
	return nil
}

// copied returns a batch whose slices are its own.
func copied(batch persistence.Batch) persistence.Batch {
	batch.Groups = slices.Clone(batch.Groups)
	for i := range batch.Groups {
		g := &batch.Groups[i]
		g.Puts, g.Deletes = slices.Clone(g.Puts), slices.Clone(g.Deletes)
		for k := range g.Puts {
			g.Puts[k].Key, g.Puts[k].Value = slices.Clone(g.Puts[k].Key), slices.Clone(g.Puts[k].Value)
		}
		for k := range g.Deletes {
			g.Deletes[k].Key = slices.Clone(g.Deletes[k].Key)
		}
	}
	return batch
}

// cover forgets what was logged up to a position. s.mu is held.
func (s *Store) cover(upTo persistence.Position) {
	s.logged = slices.DeleteFunc(s.logged, func(l logged) bool { return l.position <= upTo })
}

// bringIn carries out what was logged. s.mu is held, or nobody else has s yet.
func (s *Store) bringIn() {
	for _, l := range s.logged {
		s.clock = max(s.clock, l.batch.Clock)
		for i := range l.batch.Groups {
			s.apply(&l.batch.Groups[i])
		}
	}
	s.logged = nil
	s.published = s.rows.Clone()
}
