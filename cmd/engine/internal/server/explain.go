package server

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// ExplainList says what a page of a user's list took.
func (o *operator) ExplainList(ctx context.Context, request *parleyv1.ExplainListRequest) (*parleyv1.ExplainListResponse, error) {
	engine, err := o.service.server.engine()
	if err != nil {
		return nil, o.service.refuse(ctx, "ExplainList", err)
	}
	explained, err := engine.ExplainConversations(ctx, actors.ListQuery{
		User:       request.GetUser(),
		Limit:      limitOf(request.GetLimit()),
		PageToken:  request.GetPageToken(),
		UnreadOnly: request.GetUnreadOnly(),
		TagsAny:    request.GetTagsAny(),
		Hidden:     request.GetHidden(),
	})
	if err != nil {
		return nil, o.service.refuse(ctx, "ExplainList", err)
	}
	return ExplanationOf(&explained), nil
}

// ExplanationOf returns an explanation in the words of the wire.
func ExplanationOf(explained *actors.ListExplanation) *parleyv1.ExplainListResponse {
	cost := &explained.Page.Cost
	response := &parleyv1.ExplainListResponse{
		Cost: &parleyv1.ReadCost{
			Entries:       uint64(cost.Entries),
			Merged:        uint64(cost.Merged),
			Conversations: uint64(cost.Conversations),
			Rows:          uint64(cost.Rows),
			Pending:       uint64(cost.Pending),
		},
		Took:          durationpb.New(explained.Took),
		LookedUp:      make([]*parleyv1.LookedUp, len(explained.LookedUp)),
		LeftOut:       uint64(explained.LeftOut),
		NextPageToken: explained.Page.NextPageToken,
	}
	for i := range explained.LookedUp {
		l := &explained.LookedUp[i]
		response.LookedUp[i] = &parleyv1.LookedUp{
			Conversation: l.Conversation,
			Entry:        entryOf(l.Entry),
			At:           timestampOf(l.At),
			Fate:         parleyv1.Fate(l.Fate),
		}
	}
	return response
}

func entryOf(kind persistence.EntryKind) parleyv1.EntryKind {
	switch kind {
	case persistence.EntryPinned:
		return parleyv1.EntryKind_ENTRY_PINNED
	case persistence.EntryMerged:
		return parleyv1.EntryKind_ENTRY_MERGED
	case persistence.EntryActive:
		return parleyv1.EntryKind_ENTRY_ACTIVE
	case persistence.EntryNoticed:
		return parleyv1.EntryKind_ENTRY_NOTICED
	case persistence.EntryOwn:
		return parleyv1.EntryKind_ENTRY_OWN
	}
	return parleyv1.EntryKind_ENTRY_UNSPECIFIED
}
