package server

import (
	"context"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// GetBadge returns a user's totals.
func (s *service) GetBadge(ctx context.Context, request *parleyv1.GetBadgeRequest) (*parleyv1.Badge, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "GetBadge", err)
	}
	badge, err := engine.Badge(ctx, request.GetUser())
	if err != nil {
		return nil, s.refuse(ctx, "GetBadge", err)
	}
	return &parleyv1.Badge{
		Unread:        badge.Unread,
		MutedUnread:   badge.MutedUnread,
		Mentions:      badge.Mentions,
		Conversations: badge.Conversations,
		AtLeast:       badge.AtLeast,
	}, nil
}
