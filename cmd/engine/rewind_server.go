package main

import (
	"context"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// rewindServer rewinds at a server.
type rewindServer struct{ *remote }

func (s rewindServer) lastSeq(ctx context.Context, name string) (uint64, error) {
	found, err := s.conversations.GetConversation(ctx, &parleyv1.GetConversationRequest{Conversation: name})
	return found.GetLastSeq(), s.refused(err)
}

func (s rewindServer) close(context.Context) error {
	s.remote.close()
	return nil
}

func (s rewindServer) rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error) {
	response, err := s.operator.Rewind(ctx, request)
	return response, s.refused(err)
}
