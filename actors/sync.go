package actors

import (
	"context"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// SyncQuery asks what changed for a user.
type SyncQuery struct {
	User   string
	Cursor string // from [ListPage.SyncCursor] or the answer before; "": everything is told anew
	Limit  int    // how many conversations and removals a page has: 0: DefaultPage; at most MaxPage
}

// SyncPage is a page of what changed for a user since a cursor, in the order of the conversations' names.
type SyncPage struct {
	Changed []conversation.View // as lists show them, without drafts
	Removed []Removal
	Cursor  string // for the next page where More is set, and else for the next time
	Full    bool   // the cursor is unknown, too old, or of a store that has seen what this one has not: drop what you have before you take the first such page. It stays set to the answer's last page.
	More    bool   // there is another page
	Cost    ReadCost
}

// Removal is a conversation that a user's list no longer has.
type Removal struct {
	Conversation string
	Generation   uint64 // which ended, or is hidden or left
	Reason       persistence.Reason
}

// Sync returns what changed in a user's list since a cursor: conversations as they are now, and those that are no longer in it, hidden ones included. Whoever applies
// all pages to what they had (a changed conversation takes the place of the one with its name, a removed one goes) has the list as it is, or will with the next answer: a
// change that comes while pages are read may be told at once, and is told the next time. Something may be told again though it did not change, and a removal of
// something that one never had. A conversation whose deadline has passed is a removal whether the reaper has been there or not.
//
// A cursor never runs ahead of what is committed, so that nothing that is lost by a crash was told for good: whoever was told of something that was not committed yet, and has
// not asked since, is answered Full by the next start. A cursor is good for Config.SyncHorizon, on the store that it comes from: one that was put back from a backup answers
// Full, where the cursor is younger than the backup.
//
// It returns an error of kind ErrInvalid for a bad name, limit or cursor. It reads memory and the store, and
// waits for its turn (see Config.Readers) and for nothing else. Its cost grows with what changed since
// an hour before the cursor, and with the number of the user's conversations with large rosters; while more than a few thousand conversations are overdue, with the
// number of all the user's conversations.
func (e *Engine) Sync(ctx context.Context, q SyncQuery) (SyncPage, error) {
	limit, cursor, err := q.check()
	if err != nil {
		return SyncPage{}, err
	}
	if e.stopped() {
		return SyncPage{}, unavailable("", ErrStopped)
	}
	giveBack, err := e.take(ctx)
	if err != nil {
		return SyncPage{}, err
	}
	defer giveBack()
	dropped := e.journal.Dropped()
	now := e.settled() // before anything is read: what is stamped later comes the next time
	mark := e.lineage.current
	switch {
	case q.Cursor == "":
		cursor = syncCursor{next: now, full: true}
	case e.follows(&cursor):
		if cursor.next == 0 {
			cursor.next, cursor.seen = now, 0
		}
	case cursor.full:
		// Whoever reads the pages takes them for one answer, which cannot begin again. The next answer will be everything once more.
		mark, cursor.seen = cursor.mark, persistence.Never
	default:
		cursor = syncCursor{next: now, full: true}
	}
	s := &syncing{Engine: e, user: q.User, limit: limit, cursor: cursor}
	began := e.clock.now()
	if cursor.full {
		err = s.everything(ctx)
	} else {
		err = s.delta(ctx)
	}
	if err != nil {
		err = asError(err)
	}
	e.answered(&ReadInfo{What: "sync", User: q.User, Cost: s.page.Cost, Err: err}, began)
	if err != nil {
		return SyncPage{}, err
	}
	s.page.Full = cursor.full
	next := syncCursor{mark: mark, from: cursor.next, seen: max(cursor.seen, e.told(&s.page.Cost, dropped))}
	if s.page.More {
		next = syncCursor{mark: mark, from: cursor.from, seen: next.seen, next: cursor.next, after: s.last, full: cursor.full}
		if cursor.full {
			next.from = cursor.next // it is as old as its first page
		}
	}
	s.page.Cursor = next.encode()
	return s.page, nil
}

func (q *SyncQuery) check() (limit int, cursor syncCursor, err error) {
	if err := conversation.CheckUser("user", q.User); err != nil {
		return 0, cursor, err
	}
	if limit, err = checkLimit(q.Limit); err != nil || q.Cursor == "" {
		return limit, cursor, err
	}
	cursor, err = decodeSyncCursor(q.Cursor)
	return limit, cursor, err
}

// syncing collects one page.
type syncing struct {
	*Engine

	user   string
	limit  int
	cursor syncCursor
	page   SyncPage
	last   string // that was told, or needed not be
	due    map[past]string
}

// past is a generation that is over, or will be looked at.
type past struct {
	name       string
	generation persistence.Generation
}

// everything tells the list anew: by name, which does not change while pages are read.
func (s *syncing) everything(ctx context.Context) error {
	names, more, err := s.memberships(ctx, s.cursor.after, max(s.limit, atOnce))
	if err != nil {
		return err
	}
	err = s.tell(ctx, names, func(name string, found *seen) error {
		if !found.alive {
			return nil
		}
		if listed, hidden := found.rows.Listed(); !listed || hidden {
			return nil
		}
		return s.changed(ctx, name, found)
	})
	s.page.More = s.page.More || more
	return err
}

// delta tells what changed since the cursor.
func (s *syncing) delta(ctx context.Context) error {
	names, removals, err := s.candidates(ctx)
	if err != nil {
		return err
	}
	return s.tell(ctx, names, func(name string, found *seen) error {
		removal, removed := removals[name]
		return s.decide(ctx, name, found, removal, removed)
	})
}

// tell looks conversations up in the order of their names, from behind the last that was told on, until the page is full.
func (s *syncing) tell(ctx context.Context, names []string, each func(name string, found *seen) error) error {
	start, found := slices.BinarySearch(names, s.cursor.after)
	if found {
		start++
	}
	names = names[start:]
	for len(names) > 0 {
		if len(s.page.Changed)+len(s.page.Removed) >= s.limit {
			s.page.More = true
			return nil
		}
		n := min(len(names), atOnce, s.limit-len(s.page.Changed)-len(s.page.Removed))
		looked, err := s.lookAll(ctx, s.user, names[:n], &s.page.Cost)
		if err != nil {
			return err
		}
		for i := range looked {
			if err := each(names[i], &looked[i]); err != nil {
				return err
			}
			s.last = names[i]
		}
		names = names[n:]
	}
	return nil
}

// decide tells what a client must know of a conversation that may have changed. What it is now counts, not what made it so.
func (s *syncing) decide(ctx context.Context, name string, found *seen, removal persistence.Removal, removed bool) error {
	switch {
	case !found.alive && found.ended != nil:
		// Over, and the reaper has not been there.
		s.remove(name, found.ended.Generation, found.ended.Reason)
	case found.forgotten != 0:
		s.remove(name, found.forgotten, persistence.ReasonForgotten)
	case found.stale != 0 && !removed:
		// Likewise, but the next generation has begun without the user.
		reason, err := s.reason(ctx, name, found.stale)
		if err != nil {
			return err
		}
		s.remove(name, found.stale, reason)
	case !found.alive || (found.rows.Membership == nil && removed):
		if removed {
			s.remove(name, removal.Generation, removal.Reason)
		}
	case found.rows.Membership == nil || (!removed && !found.rows.ChangedSince(s.cursor.from)):
	default:
		generation := found.rows.Head.Generation
		switch listed, hidden := found.rows.Listed(); {
		case !listed:
			s.remove(name, generation, persistence.ReasonLeft)
		case hidden:
			s.remove(name, generation, persistence.ReasonHidden)
		default:
			return s.changed(ctx, name, found)
		}
	}
	return nil
}

func (s *syncing) remove(name string, generation persistence.Generation, reason persistence.Reason) {
	s.page.Removed = append(s.page.Removed, Removal{Conversation: name, Generation: uint64(generation), Reason: reason})
}

func (s *syncing) changed(ctx context.Context, name string, found *seen) error {
	view, err := s.listView(ctx, &listItem{listPlace: listPlace{Name: name}, rows: found.rows}, s.user)
	if err == nil {
		s.page.Changed = append(s.page.Changed, view)
	}
	return err
}
