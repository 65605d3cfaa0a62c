package actors

import (
	"bytes"

	"github.com/parley-im/parley/persistence"
)

// sweep removes the entries of a user that generations have left which are gone: those of changes that were the user's own, which nobody else removes before the horizon. No
// conversation knows of them. A generation is gone where its conversation has a later one, or none; what begins later is of a later one, which the guard spares.
func (f *forgetter) sweep(o *order) error {
	within := persistence.UserEntriesRange(o.user)
	for {
		groups, rows, after, err := f.leftovers(within)
		if err != nil {
			return err
		}
		if rows > 0 {
			if err := f.engine.commit(f.ctx, f.engine.clock.now(), groups); err != nil {
				return err
			}
			if err := f.engine.wait(f.ctx, f.engine.pace.unhurried(rows)); err != nil {
				return err
			}
		}
		if after == nil {
			return nil
		}
		within = within.After(after)
	}
}

// leftovers returns what removes some of them, and the key behind which there may be others; nil: there are none.
func (f *forgetter) leftovers(within persistence.Range) (groups []persistence.Group, rows int, after []byte, err error) {
	e := f.engine
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, 0, nil, err
	}
	defer snapshot.Close()
	byShard := map[persistence.Shard]*persistence.Group{}
	read := 0
	for row, err := range snapshot.Scan(f.ctx, within) {
		if err != nil {
			return nil, 0, nil, err
		}
		if read++; read > pruneReads || rows == e.config.Reaper.BatchRows {
			return inOrder(byShard), rows, after, nil
		}
		after = bytes.Clone(row.Key)
		_, _, _, name, err := persistence.ParseEntryKey(after)
		if err != nil {
			return nil, 0, nil, err
		}
		generation, err := persistence.GenerationOf(row.Value)
		if err != nil {
			return nil, 0, nil, err
		}
		gone, err := e.gone(f, name, generation)
		if err != nil {
			return nil, 0, nil, err
		}
		if !gone {
			continue
		}
		shard := persistence.ShardOf(name)
		if byShard[shard] == nil {
			byShard[shard] = &persistence.Group{Shard: shard, Epoch: e.shards[shard].epoch}
		}
		byShard[shard].Deletes = append(byShard[shard].Deletes, persistence.Delete{Key: after, UpTo: generation})
		rows++
	}
	return inOrder(byShard), rows, nil, nil
}

// gone reports whether a generation of a conversation has been deleted, or a later one has begun.
func (e *Engine) gone(f *forgetter, name string, generation persistence.Generation) (bool, error) {
	values, err := e.newest(f.ctx, name, persistence.HeadKey(name))
	if err != nil || values[0] == nil {
		return err == nil, err
	}
	head, _, err := persistence.DecodeHead(values[0])
	return head == nil || head.Generation > generation, err
}
