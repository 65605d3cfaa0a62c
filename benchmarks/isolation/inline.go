package isolation

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// sweeper deletes the doomed conversations of one shard when it is asked to: what a design without a reaper has to do in its proposals' way.
type sweeper struct {
	store    persistence.Store
	shard    persistence.Shard
	epoch    persistence.Epoch
	doomed   []string
	rowsEach int // of each of them
}

// newSweeper returns a sweeper that writes under the epoch of the shard's owner, the engine.
func newSweeper(ctx context.Context, store persistence.Store, shard persistence.Shard, doomed []string, rowsEach int) (*sweeper, error) {
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	value, err := snapshot.Get(ctx, persistence.OwnerKey(shard))
	if err != nil {
		return nil, fmt.Errorf("isolation: owner of shard %d: %w", shard, err)
	}
	owner, err := persistence.DecodeOwner(value)
	if err != nil {
		return nil, err
	}
	return &sweeper{store: store, shard: shard, epoch: owner.Epoch, doomed: doomed, rowsEach: rowsEach}, nil
}

// sweep deletes one batch of the conversations that are left and returns how many that were.
func (s *sweeper) sweep(ctx context.Context, now persistence.Instant) (int, error) {
	if len(s.doomed) == 0 {
		return 0, nil
	}
	snapshot, err := s.store.Snapshot()
	if err != nil {
		return 0, err
	}
	defer snapshot.Close()
	batch, rows, n := persistence.Batch{}, 0, 0
	for n < len(s.doomed) && (n == 0 || rows+s.rowsEach <= batchRows) {
		group, err := s.deletion(ctx, snapshot, s.doomed[n], now)
		if err != nil {
			return 0, err
		}
		batch.Groups = append(batch.Groups, group)
		rows += len(group.Deletes)
		n++
	}
	results, err := s.store.Commit(ctx, batch)
	if err != nil {
		return 0, err
	}
	for i, result := range results {
		if err := result.Err; err != nil {
			return 0, fmt.Errorf("isolation: deleting %s: %w", s.doomed[i], err)
		}
		if want := len(batch.Groups[i].Deletes); result.Deleted != want {
			return 0, fmt.Errorf("isolation: deleting %s: %d rows went, not %d", s.doomed[i], result.Deleted, want)
		}
	}
	s.doomed = s.doomed[n:]
	return n, nil
}

// deletion returns what ends one conversation wholly.
func (s *sweeper) deletion(ctx context.Context, snapshot persistence.Snapshot, name string, now persistence.Instant) (persistence.Group, error) {
	value, err := snapshot.Get(ctx, persistence.HeadKey(name))
	if err != nil {
		return persistence.Group{}, fmt.Errorf("isolation: head of %s: %w", name, err)
	}
	head, _, err := persistence.DecodeHead(value)
	if err == nil && head == nil {
		err = errors.New("isolation: a tombstone stands where a head was expected")
	}
	if err != nil {
		return persistence.Group{}, err
	}
	due := persistence.DueKey(name, head.Due, head.Generation)
	group := persistence.Group{Shard: s.shard, Epoch: s.epoch, Requires: due}
	ended := persistence.Ended{Reason: persistence.ReasonExpired, LastSeq: head.LastSeq, Deadline: head.Deadline}
	for row, err := range snapshot.Scan(ctx, persistence.MembersRange(name)) {
		if err != nil {
			return persistence.Group{}, err
		}
		_, user, err := persistence.ParseMemberKey(row.Key)
		if err != nil {
			return persistence.Group{}, err
		}
		ended.Users = append(ended.Users, user)
		group.Deletes = append(group.Deletes,
			persistence.Delete{Key: persistence.MemberKey(name, user), UpTo: head.Generation},
			persistence.Delete{Key: persistence.MembershipKey(user, name), UpTo: head.Generation},
			persistence.Delete{Key: persistence.EntryKey(user, persistence.EntryActive, head.Listed, name), UpTo: head.Generation})
		group.Puts = append(group.Puts, persistence.Put{
			Key:   persistence.RemovalKey(user, uint64(now), name),
			Value: persistence.Removal{Generation: head.Generation, Reason: ended.Reason}.Encode(),
		})
	}
	tombstone := persistence.Tombstone{Generation: head.Generation, LastSeq: head.LastSeq}
	group.Deletes = append(group.Deletes,
		persistence.Delete{Key: persistence.RosterKey(name), UpTo: head.Generation},
		persistence.Delete{Key: persistence.TailKey(name), UpTo: head.Generation},
		persistence.Delete{Key: persistence.HeadKey(name), UpTo: head.Generation, Replace: tombstone.Encode()},
		persistence.Delete{Key: due})
	event := persistence.Event{At: now, Conversation: name, Generation: head.Generation, Ended: ended}
	group.Events = [][]byte{event.Encode()}
	return group, nil
}
