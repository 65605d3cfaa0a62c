package server

import (
	"context"
	"errors"
	"fmt"
	"math"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// service answers the calls of api.proto.
type service struct {
	parleyv1connect.UnimplementedConversationServiceHandler

	server *Server
}

// Propose applies one change.
func (s *service) Propose(ctx context.Context, request *parleyv1.ProposeRequest) (*parleyv1.ProposeResponse, error) {
	proposal, err := proposalOf(request)
	if err != nil {
		return nil, s.refuse(ctx, "Propose", err)
	}
	reply, err := s.propose(ctx, "Propose", proposal, nil)
	if err != nil {
		return nil, err
	}
	return responseOf(ctx, &reply), nil
}

// propose has one change applied for a call, and returns the reply or what the call fails with. named, unless nil, gives the engine's refusal the call's own
// names of fields.
func (s *service) propose(ctx context.Context, call string, proposal *actors.Proposal, named func(error) error) (actors.Reply, error) {
	engine, err := s.server.engine()
	if err != nil {
		return actors.Reply{}, s.refuse(ctx, call, err)
	}
	reply, err := engine.Propose(ctx, proposal)
	if err == nil {
		return reply, nil
	}
	if cause := ctx.Err(); cause != nil && errors.Is(err, cause) {
		return actors.Reply{}, endedRefusal(cause, unknownOutcome).connectError()
	}
	s.logInternal(call, err)
	if named != nil {
		err = named(err)
	}
	return actors.Reply{}, replyRefusal(ctx, reply.Ack, err).connectError()
}

// ProposeBatch applies many, each with its own response.
func (s *service) ProposeBatch(ctx context.Context, request *parleyv1.ProposeBatchRequest) (*parleyv1.ProposeBatchResponse, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "ProposeBatch", err)
	}
	requests := request.GetRequests()
	if len(requests) > MaxBatch {
		return nil, s.refuse(ctx, "ProposeBatch", conversation.Invalid("requests", fmt.Sprintf("must be at most %d, are %d", MaxBatch, len(requests))))
	}
	responses := make([]*parleyv1.ProposeResponse, len(requests))
	proposals := make([]*actors.Proposal, 0, len(requests))
	places := make([]int, 0, len(requests)) // of the proposals among the requests
	for i, request := range requests {
		proposal, err := proposalOf(request)
		if err != nil {
			responses[i] = responseOf(ctx, &actors.Reply{Conversation: request.GetConversation(), Tag: request.GetTag(), Err: err})
			continue
		}
		proposals, places = append(proposals, proposal), append(places, i)
	}
	if len(proposals) > 0 {
		replies, err := engine.ProposeBatch(ctx, proposals)
		if err != nil {
			if cause := ctx.Err(); cause != nil && errors.Is(err, cause) {
				return nil, endedRefusal(cause, unknownOutcome).connectError()
			}
			return nil, s.refuse(ctx, "ProposeBatch", err)
		}
		if len(replies) != len(proposals) {
			return nil, s.refuse(ctx, "ProposeBatch", fmt.Errorf("%d replies to %d proposals", len(replies), len(proposals)))
		}
		for i := range replies {
			s.logInternal("ProposeBatch", replies[i].Err)
			responses[places[i]] = responseOf(ctx, &replies[i])
		}
	}
	return &parleyv1.ProposeBatchResponse{Responses: responses}, nil
}

// GetConversation returns a conversation.
func (s *service) GetConversation(ctx context.Context, request *parleyv1.GetConversationRequest) (*parleyv1.Conversation, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "GetConversation", err)
	}
	view, err := engine.Get(ctx, request.GetConversation(), request.GetUser())
	if err != nil {
		return nil, s.refuse(ctx, "GetConversation", err)
	}
	return conversationOf(&view), nil
}

// ListConversations returns a page of a user's conversations.
func (s *service) ListConversations(ctx context.Context, request *parleyv1.ListConversationsRequest) (*parleyv1.ListConversationsResponse, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "ListConversations", err)
	}
	page, err := engine.Conversations(ctx, actors.ListQuery{
		User:       request.GetUser(),
		Limit:      limitOf(request.GetLimit()),
		PageToken:  request.GetPageToken(),
		UnreadOnly: request.GetUnreadOnly(),
		TagsAny:    request.GetTagsAny(),
		Hidden:     request.GetHidden(),
	})
	if err != nil {
		return nil, s.refuse(ctx, "ListConversations", err)
	}
	response := &parleyv1.ListConversationsResponse{
		Conversations: make([]*parleyv1.Conversation, len(page.Conversations)),
		NextPageToken: page.NextPageToken,
		SyncCursor:    page.SyncCursor,
	}
	for i := range page.Conversations {
		response.Conversations[i] = conversationOf(&page.Conversations[i])
	}
	return response, nil
}

// ListMembers returns a page of a conversation's memberships, or the named ones.
func (s *service) ListMembers(ctx context.Context, request *parleyv1.ListMembersRequest) (*parleyv1.ListMembersResponse, error) {
	engine, err := s.server.engine()
	if err != nil {
		return nil, s.refuse(ctx, "ListMembers", err)
	}
	page, err := engine.Members(ctx, actors.MembersQuery{
		Conversation: request.GetConversation(),
		Users:        request.GetUsers(),
		Limit:        limitOf(request.GetLimit()),
		PageToken:    request.GetPageToken(),
	})
	if err != nil {
		return nil, s.refuse(ctx, "ListMembers", err)
	}
	response := &parleyv1.ListMembersResponse{
		Members:       make([]*parleyv1.Membership, len(page.Members)),
		NextPageToken: page.NextPageToken,
	}
	for i := range page.Members {
		response.Members[i] = membershipOf(&page.Members[i])
	}
	return response, nil
}

// refuse translates an error, and logs it where the caller is not told the cause.
func (s *service) refuse(ctx context.Context, call string, err error) error {
	if ctx.Err() == nil {
		s.logInternal(call, err)
	}
	return refusalOf(ctx, err).connectError()
}

func (s *service) logInternal(call string, err error) {
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*conversation.Error](err); ok {
		if code, _ := codesOf(e.Kind); code != connect.CodeInternal {
			return
		}
	}
	s.server.log.Error().Err(err).Str("call", call).Msg("call failed")
}

// limitOf keeps a limit within what an int holds on every machine; the engine says what is too much.
func limitOf(limit uint32) int { return int(min(limit, math.MaxInt32)) }
