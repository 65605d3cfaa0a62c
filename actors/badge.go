package actors

import (
	"context"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

// Badge is a user's totals over the conversations in their list: those that are hidden, and those that the user left without keeping them, count for nothing.
type Badge struct {
	Unread        uint64 // messages in conversations that are not muted; one that is only marked unread counts as one
	MutedUnread   uint64 // likewise, in those that are muted now
	Mentions      uint64 // among the unread messages of all of them: a mute does not silence a mention
	Conversations uint64 // that are not muted and have something unread, or are marked
}

// Badge returns a user's totals, zeros for one who has no conversations. Each conversation counts as of some moment during the call; what was applied before the
// call is counted. It is the sum over what [Engine.Conversations] lists, to the message. It returns an error of kind ErrInvalid for a bad name. Its cost grows with the
// number of the user's conversations.
func (e *Engine) Badge(ctx context.Context, user string) (Badge, error) {
	if err := conversation.CheckUser("user", user); err != nil {
		return Badge{}, err
	}
	names, err := e.conversationNames(ctx, user)
	if err != nil {
		return Badge{}, err
	}
	var badge Badge
	for _, name := range names {
		rows, ok, err := e.read(ctx, name, user)
		if err != nil {
			return Badge{}, err
		}
		if !ok {
			continue
		}
		if listed, hidden := rows.Listed(); listed && !hidden {
			badge.add(rows.MemberView(user), e.clock.now().Time())
		}
	}
	return badge, nil
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
