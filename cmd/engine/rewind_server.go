package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// rewindTimeout bounds a call to a server that does not answer.
const rewindTimeout = time.Minute

// rewindServer rewinds at a server.
type rewindServer struct {
	url           string
	client        *http.Client
	conversations parleyv1connect.ConversationServiceClient
	operator      parleyv1connect.OperatorServiceClient
}

func openRewindServer(url string) *rewindServer {
	client := &http.Client{Transport: &http.Transport{}, Timeout: rewindTimeout}
	return &rewindServer{
		url:           url,
		client:        client,
		conversations: parleyv1connect.NewConversationServiceClient(client, url),
		operator:      parleyv1connect.NewOperatorServiceClient(client, url),
	}
}

func (s *rewindServer) lastSeq(ctx context.Context, name string) (uint64, error) {
	found, err := s.conversations.GetConversation(ctx, &parleyv1.GetConversationRequest{Conversation: name})
	return found.GetLastSeq(), s.refused(err)
}

func (s *rewindServer) rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error) {
	response, err := s.operator.Rewind(ctx, request)
	return response, s.refused(err)
}

func (s *rewindServer) close(context.Context) error {
	s.client.CloseIdleConnections()
	return nil
}

// refused says what the server said, or that there is none.
func (s *rewindServer) refused(err error) error {
	e, ok := errors.AsType[*connect.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && connect.IsWireError(err):
		return errors.New(e.Message())
	}
	return fmt.Errorf("--server: %s does not answer: %w", s.url, err)
}
