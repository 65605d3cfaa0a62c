package actors

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// candidates returns the conversations, in order, of which something may have changed for the user since the cursor, and the removals that the store has.
//
// What is overdue is asked for first and the removals last, so that a conversation which the reaper deletes meanwhile is in one of the two.
func (s *syncing) candidates(ctx context.Context) (names []string, removals map[string]persistence.Removal, err error) {
	known := map[string]struct{}{}
	if err := s.overdue(ctx, known); err != nil {
		return nil, nil, err
	}
	index, err := s.index(s.user, &s.page.Cost)
	if err != nil {
		return nil, nil, err
	}
	defer index.close()
	since := max(1, s.cursor.from-persistence.EntryReach)
	entries := index.within(ctx,
		persistence.EntriesRange(s.user, persistence.EntryActive, forever, since),
		persistence.EntriesRange(s.user, persistence.EntryNoticed, forever, since),
		persistence.EntriesRange(s.user, persistence.EntryMerged, 0, 0),
		persistence.EntriesRange(s.user, persistence.EntryOwn, forever, since),
	)
	for entry, err := range entries {
		if err != nil {
			return nil, nil, err
		}
		known[entry.name] = struct{}{}
	}
	if removals, err = s.removals(ctx); err != nil {
		return nil, nil, err
	}
	for name := range removals {
		known[name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(known)), removals, nil
}

// removals returns those that the reaper has written since the cursor, the latest of each conversation.
func (s *syncing) removals(ctx context.Context) (map[string]persistence.Removal, error) {
	snapshot, err := s.store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	removals := map[string]persistence.Removal{}
	for row, err := range snapshot.Scan(ctx, persistence.RemovalsRange(s.user, uint64(s.cursor.from))) {
		if err != nil {
			return nil, err
		}
		s.page.Cost.Entries++
		_, _, name, err := persistence.ParseRemovalKey(row.Key)
		if err != nil {
			return nil, err
		}
		if removals[name], err = persistence.DecodeRemoval(row.Value); err != nil {
			return nil, err
		}
	}
	return removals, nil
}

// overdueAtMost is how many overdue conversations are compared with the user's. Where there are more, it is cheaper to look at all of the user's.
const overdueAtMost = 4_096

// overdue adds conversations whose deadline has passed though they are not deleted yet: in those nothing changed, so that no entry leads to them.
func (s *syncing) overdue(ctx context.Context, known map[string]struct{}) error {
	now := s.clock.now()
	keys, shards := s.agenda.overdue(now)
	for shard, from := range shards {
		if len(keys) > overdueAtMost {
			break
		}
		more, err := s.dueKeys(ctx, shard, from, now, overdueAtMost+1-len(keys))
		if err != nil {
			return err
		}
		keys = append(keys, more...)
	}
	names, err := s.dueNames(keys)
	if err != nil {
		return err
	}
	if len(keys) > overdueAtMost {
		all, _, err := s.memberships(ctx, "", math.MaxInt)
		for _, name := range all {
			known[name] = struct{}{}
		}
		return err
	}
	for _, name := range names {
		values, err := s.newest(ctx, name, persistence.MembershipKey(s.user, name))
		if err != nil {
			return err
		}
		s.page.Cost.Rows++
		if values[0] != nil {
			known[name] = struct{}{}
		}
	}
	return nil
}

// dueNames returns the conversations of due entries, each once, and remembers which generations those are of.
func (s *syncing) dueNames(keys []string) (names []string, err error) {
	s.due = make(map[past]string, len(keys))
	for _, key := range keys {
		name, _, generation, err := persistence.ParseDueKey([]byte(key))
		if err != nil {
			return nil, err
		}
		s.due[past{name, generation}] = key
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// reason returns what ended a generation that the reaper has yet to delete though the next has begun: its due entry says so from then on.
func (s *syncing) reason(ctx context.Context, name string, generation persistence.Generation) (persistence.Reason, error) {
	key := []byte(s.due[past{name, generation}])
	if len(key) == 0 {
		return persistence.ReasonExpired, nil
	}
	value := s.journal.Lookup(name, key)[0]
	if value == nil {
		snapshot, err := s.store.Snapshot()
		if err != nil {
			return 0, err
		}
		defer snapshot.Close()
		if value, err = snapshot.Get(ctx, key); err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return 0, err
		}
	}
	due, err := persistence.DecodeDue(value)
	if err != nil || due.Ended == nil {
		return persistence.ReasonExpired, err
	}
	return due.Ended.Reason, nil
}

// dueKeys returns the keys of due entries of a shard up to now, at most n.
func (s *syncing) dueKeys(ctx context.Context, shard persistence.Shard, from, now persistence.Instant, n int) (keys []string, err error) {
	pending, _ := s.journal.Dues(shard)
	take := func(key []byte) error {
		_, deadline, _, err := persistence.ParseDueKey(key)
		if err == nil && deadline <= now {
			keys = append(keys, string(key))
		}
		return err
	}
	for _, entry := range pending {
		if err := take(entry.Key); err != nil {
			return nil, err
		}
	}
	snapshot, err := s.store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, persistence.DueRange(shard, from, now)) {
		if err == nil {
			s.page.Cost.Entries++
			err = take(row.Key)
		}
		if err != nil {
			return nil, err
		}
		if len(keys) >= n {
			break
		}
	}
	return keys, nil
}

// memberships returns the first of the conversations of which the user has a membership, of whatever generation, in order, from behind one on: n of them or more, if there
// are, and whether there may be others behind those.
func (s *syncing) memberships(ctx context.Context, after string, n int) (names []string, more bool, err error) {
	within := persistence.MembershipsRange(s.user)
	if after != "" {
		within = within.After(persistence.MembershipKey(s.user, after))
	}
	take := func(key []byte) error {
		_, name, err := persistence.ParseMembershipKey(key)
		names = append(names, name)
		return err
	}
	pending := s.journal.UserRows(s.user, within)
	snapshot, err := s.store.Snapshot()
	if err != nil {
		return nil, false, err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, within) {
		if err == nil {
			s.page.Cost.Entries++
			err = take(row.Key)
		}
		if err != nil {
			return nil, false, err
		}
		if more = len(names) >= n; more {
			break
		}
	}
	last := len(names)
	for _, key := range pending {
		if err := take(key); err != nil {
			return nil, false, err
		}
		if more && names[len(names)-1] > names[last-1] {
			names = names[:len(names)-1] // others, that were not read, may come before it
		}
	}
	slices.Sort(names)
	return slices.Compact(names), more, nil
}
