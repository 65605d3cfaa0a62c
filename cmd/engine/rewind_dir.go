package main

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// rewindDir rewinds in a store's directory.
type rewindDir struct{ *local }

func (d rewindDir) lastSeq(ctx context.Context, name string) (uint64, error) {
	view, err := d.engine.Get(ctx, name, "")
	return view.LastSeq, refusedLocally(err)
}

func (d rewindDir) rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error) {
	reply, err := d.engine.Propose(ctx, &actors.Proposal{
		Conversation: request.GetConversation(),
		Change:       &conversation.Rewind{From: request.GetFrom(), To: request.GetTo()},
		IfGeneration: request.GetIfGeneration(),
	})
	if err != nil {
		return nil, refusedLocally(err)
	}
	return &parleyv1.RewindResponse{Generation: reply.Generation, Version: reply.Version, LastSeq: reply.LastSeq, Changed: reply.Changed}, nil
}
