package server

import (
	"context"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// unknownForgetting is said to whoever stopped waiting for an order to forget a user.
const unknownForgetting = "the call ended before the answer: whether the order was given is unknown; ask again to find out"

// ForgetUser has a user removed from every conversation, or says how far that is.
func (s *service) ForgetUser(ctx context.Context, request *parleyv1.ForgetUserRequest) (*parleyv1.ForgetUserResponse, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "ForgetUser", err)
	}
	ask := engine.ForgetUser
	if request.GetOnlyAsk() {
		ask = engine.Forgetting
	}
	remaining, err := ask(ctx, request.GetUser())
	if err != nil {
		if cause := ctx.Err(); cause != nil {
			return nil, endedRefusal(cause, unknownForgetting).connectError()
		}
		return nil, s.refuse(ctx, "ForgetUser", err)
	}
	return &parleyv1.ForgetUserResponse{Remaining: remaining}, nil
}
