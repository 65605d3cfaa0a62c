package server

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// Sync returns a page of what changed for a user.
func (s *service) Sync(ctx context.Context, request *parleyv1.SyncRequest) (*parleyv1.SyncResponse, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "Sync", err)
	}
	page, err := engine.Sync(ctx, actors.SyncQuery{User: request.GetUser(), Cursor: request.GetCursor(), Limit: limitOf(request.GetLimit())})
	if err != nil {
		return nil, s.refuse(ctx, "Sync", err)
	}
	return changesOf(&page), nil
}

func changesOf(page *actors.SyncPage) *parleyv1.SyncResponse {
	response := &parleyv1.SyncResponse{
		Changed: make([]*parleyv1.Conversation, len(page.Changed)),
		Removed: make([]*parleyv1.Removal, len(page.Removed)),
		Cursor:  page.Cursor,
		Full:    page.Full,
		More:    page.More,
	}
	for i := range page.Changed {
		response.Changed[i] = conversationOf(&page.Changed[i])
	}
	for i, removal := range page.Removed {
		response.Removed[i] = &parleyv1.Removal{
			Conversation: removal.Conversation,
			Generation:   removal.Generation,
			Reason:       parleyv1.Reason(removal.Reason),
		}
	}
	return response
}
