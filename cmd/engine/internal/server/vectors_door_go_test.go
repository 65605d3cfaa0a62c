package server

import (
	"testing"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// goDoor calls the engine's methods.
type goDoor struct{ engine *actors.Engine }

func (d *goDoor) use(engine *actors.Engine) { d.engine = engine }

func (d *goDoor) propose(t *testing.T, request, extra []byte) (*parleyv1.ProposeResponse, *refusal) {
	t.Helper()
	proposal := proposalFrom(t, request, extra)
	if proposal.err != nil {
		return nil, proposal.refusal(t)
	}
	reply, err := d.engine.Propose(t.Context(), proposal.Proposal)
	return answerOf(t, &reply, err)
}

func (d *goDoor) batch(t *testing.T, requests [][]byte) []*parleyv1.ProposeResponse {
	t.Helper()
	return batchOf(t, requests, func(proposals []*actors.Proposal) []actors.Reply {
		replies, err := d.engine.ProposeBatch(t.Context(), proposals)
		if err != nil {
			t.Fatal(err)
		}
		return replies
	})
}

func (d *goDoor) get(t *testing.T, request []byte) (*parleyv1.Conversation, *refusal) {
	t.Helper()
	r := parse(t, request, &parleyv1.GetConversationRequest{})
	view, err := d.engine.Get(t.Context(), r.GetConversation(), r.GetUser())
	if err != nil {
		return nil, refused(t, err)
	}
	return conversationOf(&view), nil
}

func (d *goDoor) list(t *testing.T, request []byte) (*parleyv1.ListConversationsResponse, *refusal) {
	t.Helper()
	r := parse(t, request, &parleyv1.ListConversationsRequest{})
	page, err := d.engine.Conversations(t.Context(), actors.ListQuery{
		User: r.GetUser(), Limit: int(r.GetLimit()), PageToken: r.GetPageToken(),
		UnreadOnly: r.GetUnreadOnly(), TagsAny: r.GetTagsAny(), Hidden: r.GetHidden(),
	})
	if err != nil {
		return nil, refused(t, err)
	}
	response := &parleyv1.ListConversationsResponse{NextPageToken: page.NextPageToken, SyncCursor: page.SyncCursor}
	for i := range page.Conversations {
		response.Conversations = append(response.Conversations, conversationOf(&page.Conversations[i]))
	}
	return response, nil
}

func (d *goDoor) sync(t *testing.T, request []byte) (*parleyv1.SyncResponse, *refusal) {
	t.Helper()
	r := parse(t, request, &parleyv1.SyncRequest{})
	page, err := d.engine.Sync(t.Context(), actors.SyncQuery{User: r.GetUser(), Cursor: r.GetCursor(), Limit: int(r.GetLimit())})
	if err != nil {
		return nil, refused(t, err)
	}
	return changesOf(&page), nil
}

func (d *goDoor) members(t *testing.T, request []byte) (*parleyv1.ListMembersResponse, *refusal) {
	t.Helper()
	r := parse(t, request, &parleyv1.ListMembersRequest{})
	page, err := d.engine.Members(t.Context(), actors.MembersQuery{
		Conversation: r.GetConversation(), Users: r.GetUsers(), Limit: int(r.GetLimit()), PageToken: r.GetPageToken(),
	})
	if err != nil {
		return nil, refused(t, err)
	}
	response := &parleyv1.ListMembersResponse{NextPageToken: page.NextPageToken}
	for i := range page.Members {
		response.Members = append(response.Members, membershipOf(&page.Members[i]))
	}
	return response, nil
}

func (d *goDoor) forget(t *testing.T, request []byte) (*parleyv1.ForgetUserResponse, *refusal) {
	t.Helper()
	remaining, err := d.engine.ForgetUser(t.Context(), parse(t, request, &parleyv1.ForgetUserRequest{}).GetUser())
	if err != nil {
		return nil, refused(t, err)
	}
	return &parleyv1.ForgetUserResponse{Remaining: remaining}, nil
}

// proposalOrFault is a proposal, or why there is none.
type proposalOrFault struct {
	*actors.Proposal

	err error
}

func (p proposalOrFault) refusal(t *testing.T) *refusal {
	t.Helper()
	return refused(t, p.err)
}

func proposalFrom(t *testing.T, request, extra []byte) proposalOrFault {
	t.Helper()
	if extra != nil {
		t.Fatal("only binary messages can have unknown fields")
	}
	proposal, err := proposalOf(parse(t, request, &parleyv1.ProposeRequest{}))
	return proposalOrFault{proposal, err}
}

func refused(t *testing.T, err error) *refusal {
	t.Helper()
	return new(refusalOf(t.Context(), err))
}

func answerOf(t *testing.T, reply *actors.Reply, err error) (*parleyv1.ProposeResponse, *refusal) {
	t.Helper()
	if err != nil {
		return nil, new(replyRefusal(t.Context(), reply.Ack, err))
	}
	return responseOf(t.Context(), reply), nil
}

// batchOf has those requests proposed that are proposals, and answers for the others.
func batchOf(t *testing.T, requests [][]byte, propose func([]*actors.Proposal) []actors.Reply) []*parleyv1.ProposeResponse {
	t.Helper()
	responses := make([]*parleyv1.ProposeResponse, len(requests))
	var proposals []*actors.Proposal
	var places []int
	for i, request := range requests {
		proposal := proposalFrom(t, request, nil)
		if proposal.err != nil {
			r := parse(t, request, &parleyv1.ProposeRequest{})
			responses[i] = &parleyv1.ProposeResponse{Conversation: r.GetConversation(), Tag: r.GetTag(), Error: proposal.refusal(t).detail}
			continue
		}
		proposals, places = append(proposals, proposal.Proposal), append(places, i)
	}
	for i, reply := range propose(proposals) {
		responses[places[i]] = responseOf(t.Context(), &reply)
	}
	return responses
}
