package server

import (
	"context"
	"errors"
	"strings"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// operator answers the calls of operator.proto.
type operator struct{ service *service }

// Rewind takes a conversation's last number back.
func (o *operator) Rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error) {
	reply, err := o.service.propose(ctx, "Rewind", &actors.Proposal{
		Conversation: request.GetConversation(),
		Change:       &conversation.Rewind{From: request.GetFrom(), To: request.GetTo()},
		IfGeneration: request.GetIfGeneration(),
	}, rewindFields)
	if err != nil {
		return nil, err
	}
	return &parleyv1.RewindResponse{
		Generation: reply.Generation,
		Version:    reply.Version,
		LastSeq:    reply.LastSeq,
		Changed:    reply.Changed,
	}, nil
}

// rewindFields gives a refused rewind the names of fields that its request has: to the engine it is one change of many.
func rewindFields(err error) error {
	refusal, ok := errors.AsType[*conversation.Error](err)
	if !ok {
		return err
	}
	switch field, found := strings.CutPrefix(refusal.Field, "rewind."); {
	case found:
		renamed := *refusal
		renamed.Field, renamed.Reason = field, strings.ReplaceAll(refusal.Reason, "rewind.", "")
		return &renamed
	case refusal.Field == "rewind": // there were too many that went further back
		renamed := *refusal
		renamed.Field, renamed.Reason = "to", "must be lower: the conversation "+refusal.Reason
		return &renamed
	}
	return err
}
