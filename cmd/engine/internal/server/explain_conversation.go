package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// ExplainConversation says what is known of one conversation, and why it is as it is.
func (o *operator) ExplainConversation(
	ctx context.Context, request *parleyv1.ExplainConversationRequest,
) (*parleyv1.ExplainConversationResponse, error) {
	engine, err := o.service.server.engine()
	if err != nil {
		return nil, o.service.refuse(ctx, "ExplainConversation", err)
	}
	explained, err := engine.ExplainConversation(ctx, request.GetConversation(), request.GetUser())
	if err != nil {
		return nil, o.service.refuse(ctx, "ExplainConversation", err)
	}
	return ConversationExplanationOf(explained), nil
}

// ConversationExplanationOf returns an explanation in the words of the wire.
func ConversationExplanationOf(x *actors.ConversationExplanation) *parleyv1.ExplainConversationResponse {
	r := &parleyv1.ExplainConversationResponse{
		Conversation: x.Conversation,
		Shard:        uint32(x.Shard),
		Now:          timestampOf(x.Now),
		Policy:       policyOf(&x.Policy),
		Life:         parleyv1.Life(x.Life),
		Tombstone:    tombstoneOf(x.Tombstone),
	}
	if x.Head != nil {
		r.Head, r.Deadline, r.Due, r.Index = headOf(x), deadlineOf(&x.Deadline), dueOf(&x.Due), indexOf(&x.Index)
	}
	if x.Memory != nil {
		r.Memory, r.Journal, r.Reaper, r.Changes = memoryOf(x.Memory), journalOf(x.Journal), reaperOf(x.Reaper), recentOf(x.Changes)
	}
	if x.User != nil {
		r.User = userOf(x.User)
	}
	return r
}

func policyOf(p *actors.PolicyExplanation) *parleyv1.PolicyExplanation {
	jump := p.MaxSeqJump
	if jump == 0 {
		jump = conversation.DefaultMaxSeqJump
	}
	return &parleyv1.PolicyExplanation{
		Namespace:       p.Namespace,
		Named:           p.Named,
		ExpireAfter:     durationOf(p.ExpireAfter),
		ExpireIdle:      durationOf(p.ExpireIdle),
		ExpireAge:       durationOf(p.ExpireAge),
		ExpireJitter:    durationOf(p.ExpireJitter),
		KeepPinned:      p.KeepPinned,
		KeepUnread:      p.KeepUnread,
		TombstoneFor:    durationOf(p.TombstoneFor),
		MaxMembers:      p.MaxMembers,
		MaxPreview:      p.MaxPreview,
		MembersRequired: p.RequireMembers,
		MaxSeqJump:      jump,
		ReceiptsUpTo:    p.ReceiptsUpTo,
	}
}

func headOf(x *actors.ConversationExplanation) *parleyv1.HeadExplanation {
	h := x.Head
	epoch, number := x.Epoch(h.Generation)
	return &parleyv1.HeadExplanation{
		Generation:   uint64(h.Generation),
		Epoch:        epoch,
		Number:       number,
		Floor:        h.Floor,
		Version:      h.Version,
		LastSeq:      h.LastSeq,
		LastSender:   h.LastSender,
		PreviewBytes: uint64(len(h.Preview)),
		Members:      h.Members,
		Pins:         h.Pins,
		Held:         h.Held,
		Large:        h.Large,
		Born:         instantOf(h.Born),
		LastPost:     instantOf(h.Activity),
		LastChange:   instantOf(h.Changed),
		Rewinds:      uint64(len(h.Rewinds)),
	}
}

func tombstoneOf(t *actors.TombstoneExplanation) *parleyv1.TombstoneExplanation {
	if t == nil {
		return nil
	}
	r := &parleyv1.TombstoneExplanation{Generation: uint64(t.Generation), LastSeq: t.LastSeq, KeptUntil: timestampOf(t.Until)}
	if t.Event != nil {
		r.Reason, r.Deadline, r.Deleted = parleyv1.Reason(t.Event.Reason), instantOf(t.Event.Deadline), instantOf(t.Event.At)
	}
	return r
}

func deadlineOf(d *conversation.DeadlineSum) *parleyv1.DeadlineExplanation {
	r := &parleyv1.DeadlineExplanation{
		Deadline: instantOf(d.Deadline),
		Origin:   parleyv1.DeadlineOrigin(d.Origin),
		Held:     d.Held,
		Pinned:   d.Pinned,
		Unread:   d.Unread,
		Witness:  d.Witness,
		First:    parleyv1.Retention(d.First),
		Jitter:   durationOf(d.Jitter),
		Asked:    instantOf(d.Asked),
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		r.Steps = append(r.Steps, &parleyv1.DeadlineStep{
			Rule: parleyv1.Retention(s.Rule), From: instantOf(s.From), After: durationOf(s.After), At: instantOf(s.At), AtLeast: s.AtLeast,
		})
	}
	return r
}

func dueOf(d *actors.DueExplanation) *parleyv1.DueExplanation {
	return &parleyv1.DueExplanation{
		At: timestampOf(d.At), Present: d.Present, Pending: d.Pending, Early: durationOf(d.Early), LooksFrom: timestampOf(d.LooksFrom), LooksAt: timestampOf(d.LooksAt),
	}
}

func indexOf(i *actors.IndexExplanation) *parleyv1.IndexExplanation {
	return &parleyv1.IndexExplanation{
		Large: i.Large, Listed: timestampOf(i.Listed), ListedMoves: timestampOf(i.ListedMoves), Noticed: timestampOf(i.Noticed), NoticedMoves: timestampOf(i.NoticedMoves),
	}
}

// durationOf returns nothing for no time at all.
func durationOf(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func instantOf(at persistence.Instant) *timestamppb.Timestamp { return timestampOf(at.Time()) }
