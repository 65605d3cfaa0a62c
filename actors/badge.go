package actors

import (
	"context"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Badge is a user's totals over the conversations in their list: those that are hidden, and those that the user left without keeping them, count for nothing.
type Badge struct {
	Unread        uint64 // messages in conversations that are not muted; one that is only marked unread counts as one
	MutedUnread   uint64 // likewise, in those that are muted now
	Mentions      uint64 // among the unread messages of all of them: a mute does not silence a mention
	Conversations uint64 // that are not muted and have something unread, or are marked
	AtLeast       bool   // there are more than Config.BadgeConversations, and those active before these were not counted
	Cost          ReadCost
}

// Badge returns a user's totals, zeros for one who has no conversations. Each conversation counts as of some moment during the call; what was applied before the
// call is counted. Up to Config.BadgeConversations it is the sum over what [Engine.Conversations] lists, to the message; of a user who has more, pinned ones, those of large
// rosters and those active last are counted. It returns an error of kind ErrInvalid for a bad name. It waits for its
// turn: see Config.Readers. Its cost grows with the number of the user's conversations.
func (e *Engine) Badge(ctx context.Context, user string) (Badge, error) {
	if err := conversation.CheckUser("user", user); err != nil {
		return Badge{}, err
	}
	if e.stopped() {
		return Badge{}, unavailable("", ErrStopped)
	}
	giveBack, err := e.take(ctx)
	if err != nil {
		return Badge{}, err
	}
	defer giveBack()
	var badge Badge
	began := e.clock.now()
	err = e.count(ctx, user, &badge)
	e.answered(&ReadInfo{What: "badge", User: user, Cost: badge.Cost, Err: err}, began)
	if err != nil {
		return Badge{}, err
	}
	return badge, nil
}

func (e *Engine) count(ctx context.Context, user string, badge *Badge) error {
	names, err := e.latest(ctx, user, badge)
	if err != nil {
		return asError(err)
	}
	for len(names) > 0 {
		n := min(len(names), atOnce)
		looked, err := e.lookAll(ctx, user, names[:n], &badge.Cost)
		if err != nil {
			return err
		}
		now := e.clock.now().Time()
		for i := range looked {
			if !looked[i].alive {
				continue
			}
			if listed, hidden := looked[i].rows.Listed(); listed && !hidden {
				badge.add(looked[i].rows.MemberView(user), now)
			}
		}
		names = names[n:]
	}
	return nil
}

// latest returns the conversations that a badge counts.
func (e *Engine) latest(ctx context.Context, user string, badge *Badge) (names []string, err error) {
	index, err := e.index(user, &badge.Cost)
	if err != nil {
		return nil, err
	}
	defer index.close()
	known := map[string]struct{}{}
	for _, kind := range [...]persistence.EntryKind{persistence.EntryPinned, persistence.EntryMerged, persistence.EntryActive} {
		newest := forever
		if kind != persistence.EntryActive {
			newest = 0
		}
		for entry, err := range index.entries(ctx, kind, newest, 0) {
			if err != nil {
				return nil, err
			}
			if _, ok := known[entry.name]; ok {
				continue
			}
			if len(names) == e.config.BadgeConversations {
				badge.AtLeast = true
				return names, nil
			}
			known[entry.name] = struct{}{}
			names = append(names, entry.name)
		}
	}
	return names, nil
}

func (b *Badge) add(m *conversation.MembershipView, now time.Time) {
	unread := m.Unread
	if m.MarkedUnread {
		unread = max(unread, 1)
	}
	b.Mentions += uint64(m.Mentions)
	switch {
	case now.Before(m.MutedUntil):
		b.MutedUnread += unread
	case unread > 0:
		b.Unread += unread
		b.Conversations++
	}
}
