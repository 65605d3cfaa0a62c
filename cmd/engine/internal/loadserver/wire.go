package loadserver

import (
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// requestOf writes a proposal as the wire has it. It knows the changes that workloads draw.
func requestOf(p *actors.Proposal) (*parleyv1.ProposeRequest, error) {
	request := &parleyv1.ProposeRequest{Conversation: p.Conversation, Ack: parleyv1.Ack(p.Ack), IfGeneration: p.IfGeneration, Revision: p.Revision, Tag: p.Tag, Origin: p.Origin}
	switch change := p.Change.(type) {
	case *conversation.Post:
		request.Change = &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{
			Seq: change.Seq, Sender: change.Sender, Preview: change.Preview, Mentions: change.Mentions, Members: change.Members,
		}}
	case *conversation.Join:
		request.Change = &parleyv1.ProposeRequest_Join{Join: &parleyv1.Join{Users: change.Users}}
	case *conversation.Read:
		request.Change = &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: change.User, Seq: change.Seq}}
	case *conversation.Delete:
		request.Change = &parleyv1.ProposeRequest_Delete{Delete: &parleyv1.Delete{}}
	default:
		return nil, fmt.Errorf("loadserver: a workload draws no %s", change.Kind())
	}
	return request, nil
}

// replyOf reads an answer. Of a membership nothing is kept.
func replyOf(r *parleyv1.ProposeResponse) actors.Reply {
	reply := actors.Reply{
		Conversation: r.GetConversation(), Generation: r.GetGeneration(), Version: r.GetVersion(), LastSeq: r.GetLastSeq(), Ack: actors.Ack(r.GetAck()), Changed: r.GetChanged(), Tag: r.GetTag(),
	}
	if r.GetError() != nil {
		reply.Err = refusalOf(r.GetError())
	}
	return reply
}

// refusalOf reads why something was refused.
func refusalOf(e *parleyv1.Error) error {
	kind := kindOf(e.GetCode())
	if kind == nil {
		return errors.New(e.GetMessage())
	}
	return &conversation.Error{Kind: kind, Field: e.GetField(), Reason: e.GetMessage(), RetryAfter: e.GetRetryAfter().AsDuration()}
}

// kindOf returns nil for what is the server's own fault.
func kindOf(code parleyv1.Code) error {
	switch code {
	case parleyv1.Code_CODE_INVALID:
		return conversation.ErrInvalid
	case parleyv1.Code_CODE_NOT_FOUND:
		return conversation.ErrNotFound
	case parleyv1.Code_CODE_OVERLOADED:
		return conversation.ErrOverloaded
	case parleyv1.Code_CODE_CONFLICT:
		return conversation.ErrConflict
	case parleyv1.Code_CODE_HELD:
		return conversation.ErrHeld
	case parleyv1.Code_CODE_QUARANTINED:
		return conversation.ErrQuarantined
	case parleyv1.Code_CODE_UNAVAILABLE:
		return conversation.ErrUnavailable
	case parleyv1.Code_CODE_MEMBERS_REQUIRED:
		return conversation.ErrMembersRequired
	case parleyv1.Code_CODE_UNSPECIFIED:
	}
	return nil
}

// errorOf reads why a call failed: what the server said, or that it did not answer.
func errorOf(err error) error {
	failed, ok := errors.AsType[*connect.Error](err)
	if !ok || !connect.IsWireError(err) {
		return err
	}
	for _, detail := range failed.Details() {
		value, err := detail.Value()
		if err != nil {
			continue
		}
		if e, ok := value.(*parleyv1.Error); ok {
			return refusalOf(e)
		}
	}
	return errors.New(failed.Message())
}
