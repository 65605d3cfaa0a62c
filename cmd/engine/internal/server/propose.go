package server

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// unknownOutcome is said to whoever stopped waiting for a proposal.
const unknownOutcome = "the call ended before the answer: the outcome of what was proposed is unknown; propose it again to find out"

// proposalOf converts a request. It refuses what has no counterpart in the engine; the rest is the engine's to check. As the engine's own refusal of a
// malformed proposal, its does not repeat the conversation's name, which nobody has checked yet: a long one would not fit into the headers of an answer.
func proposalOf(request *parleyv1.ProposeRequest) (*actors.Proposal, error) {
	change, err := changeOf(request)
	if err == nil && (request.GetAck() < parleyv1.Ack_ACK_UNSPECIFIED || request.GetAck() > parleyv1.Ack_ACK_COMMITTED) {
		err = conversation.Invalid("ack", fmt.Sprintf("must be 0 (the default), 1 (applied) or 2 (committed), is %d", request.GetAck()))
	}
	if err != nil {
		return nil, err
	}
	return &actors.Proposal{
		Conversation: request.GetConversation(),
		Change:       change,
		Ack:          actors.Ack(request.GetAck()),
		IfGeneration: request.GetIfGeneration(),
		Revision:     request.GetRevision(),
		Tag:          request.GetTag(),
		Origin:       request.GetOrigin(),
	}, nil
}

func changeOf(request *parleyv1.ProposeRequest) (conversation.Change, *conversation.Error) {
	switch change := request.GetChange().(type) {
	case *parleyv1.ProposeRequest_Post:
		return postOf(change.Post)
	case *parleyv1.ProposeRequest_Join:
		join := change.Join
		return &conversation.Join{Users: join.GetUsers(), VisibleFrom: join.GetVisibleFrom(), UnreadFrom: join.GetUnreadFrom()}, nil
	case *parleyv1.ProposeRequest_Leave:
		return &conversation.Leave{Users: change.Leave.GetUsers(), Keep: change.Leave.GetKeep()}, nil
	case *parleyv1.ProposeRequest_Read:
		return &conversation.Read{User: change.Read.GetUser(), Seq: change.Read.GetSeq()}, nil
	case *parleyv1.ProposeRequest_Amend:
		return &conversation.Amend{Seq: change.Amend.GetSeq(), Preview: change.Amend.GetPreview(), Retracted: change.Amend.GetRetracted()}, nil
	case *parleyv1.ProposeRequest_Deliver:
		return &conversation.Deliver{User: change.Deliver.GetUser(), Seq: change.Deliver.GetSeq()}, nil
	case *parleyv1.ProposeRequest_MarkUnread:
		return &conversation.MarkUnread{User: change.MarkUnread.GetUser(), Seq: change.MarkUnread.GetSeq()}, nil
	case *parleyv1.ProposeRequest_Set:
		return setOf(change.Set)
	case *parleyv1.ProposeRequest_Hold:
		return &conversation.Hold{On: change.Hold.GetOn()}, nil
	case *parleyv1.ProposeRequest_Clear:
		return &conversation.Clear{User: change.Clear.GetUser(), Seq: change.Clear.GetSeq(), Hide: change.Clear.GetHide()}, nil
	case *parleyv1.ProposeRequest_Delete:
		return &conversation.Delete{}, nil
	}
	return nil, conversation.Invalid("change", "is missing or unknown: expected one of post, amend, join, leave, read, deliver, mark_unread, clear, set, hold, delete")
}

func postOf(post *parleyv1.Post) (conversation.Change, *conversation.Error) {
	sentAt, err := timeOf("post.sent_at", post.GetSentAt())
	if err != nil {
		return nil, err
	}
	return &conversation.Post{
		Seq:        post.GetSeq(),
		Sender:     post.GetSender(),
		SentAt:     sentAt,
		Preview:    post.GetPreview(),
		Mentions:   post.GetMentions(),
		MentionAll: post.GetMentionAll(),
		Silent:     post.GetSilent(),
		Unattended: post.GetUnattended(),
		Members:    post.GetMembers(),
	}, nil
}

func setOf(set *parleyv1.Set) (conversation.Change, *conversation.Error) {
	change := &conversation.Set{User: set.GetUser(), Pin: set.Pin, Tags: set.Tags, Custom: set.GetCustom()}
	if set.GetMutedUntil() != nil {
		until, err := timeOf("set.muted_until", set.GetMutedUntil())
		if err != nil {
			return nil, err
		}
		change.MutedUntil = &until
	}
	if set.Hide != nil {
		hide := set.GetHide()
		if hide < parleyv1.Hide_HIDE_NONE || hide > parleyv1.Hide_HIDE_ALWAYS {
			return nil, conversation.Invalid("set.hide", fmt.Sprintf("must be 0 (not), 1 (until the next message) or 2 (always), is %d", hide))
		}
		how := persistence.Hide(hide)
		change.Hide = &how
	}
	if draft := set.GetDraft(); draft != nil {
		edited, err := timeOf("set.draft.edited_at", draft.GetEditedAt())
		if err != nil {
			return nil, err
		}
		change.Draft = &conversation.Draft{Text: draft.GetText(), EditedAt: edited}
	}
	return change, nil
}

// timeOf gives the zero time for nothing.
func timeOf(field string, t *timestamppb.Timestamp) (time.Time, *conversation.Error) {
	if t == nil {
		return time.Time{}, nil
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, conversation.Invalid(field, "must be a time from the year 1 to the year 9999")
	}
	return t.AsTime(), nil
}

// responseOf converts a reply, refused or not.
func responseOf(ctx context.Context, reply *actors.Reply) *parleyv1.ProposeResponse {
	response := &parleyv1.ProposeResponse{
		Conversation: reply.Conversation,
		Generation:   reply.Generation,
		Version:      reply.Version,
		LastSeq:      reply.LastSeq,
		Ack:          parleyv1.Ack(reply.Ack),
		Changed:      reply.Changed,
		Membership:   membershipOf(reply.Membership),
		Tag:          reply.Tag,
	}
	if reply.Err != nil {
		response.Error = replyRefusal(ctx, reply.Ack, reply.Err).detail
	}
	return response
}

// replyRefusal is refusalOf for a proposal. One that was applied all the same says so: readers see it, and only the store did not take it yet.
func replyRefusal(ctx context.Context, reached actors.Ack, err error) refusal {
	r := refusalOf(ctx, err)
	if reached == actors.AckApplied {
		r.detail.Message = "applied, but not committed: " + r.detail.GetMessage()
	}
	return r
}

// timestampOf gives nothing for the zero time.
func timestampOf(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
