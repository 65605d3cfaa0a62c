package main

import (
	"context"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// forgetServer forgets at a server.
type forgetServer struct{ *remote }

func (s forgetServer) forget(ctx context.Context, user string) (uint64, error) {
	response, err := s.conversations.ForgetUser(ctx, &parleyv1.ForgetUserRequest{User: user})
	return response.GetRemaining(), s.refused(err)
}

func (s forgetServer) forgetting(ctx context.Context, user string) (uint64, error) {
	response, err := s.conversations.ForgetUser(ctx, &parleyv1.ForgetUserRequest{User: user, OnlyAsk: true})
	return response.GetRemaining(), s.refused(err)
}

func (s forgetServer) close(context.Context) error {
	s.remote.close()
	return nil
}
