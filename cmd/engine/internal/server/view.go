package server

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func conversationOf(view *conversation.View) *parleyv1.Conversation {
	return &parleyv1.Conversation{
		Conversation: view.Conversation,
		Generation:   view.Generation,
		Version:      view.Version,
		LastSeq:      view.LastSeq,
		LastSender:   view.LastSender,
		Preview:      view.Preview,
		LastActivity: timestampOf(view.LastActivity),
		ExpiresAt:    timestampOf(view.ExpiresAt),
		Members:      view.Members,
		Held:         view.Held,
		Peer:         view.Peer,
		Membership:   membershipOf(view.Membership),
	}
}

func membershipOf(view *conversation.MembershipView) *parleyv1.Membership {
	if view == nil {
		return nil
	}
	membership := &parleyv1.Membership{
		User:         view.User,
		VisibleFrom:  view.VisibleFrom,
		VisibleTo:    view.VisibleTo,
		ReadSeq:      view.ReadSeq,
		DeliveredSeq: view.DeliveredSeq,
		ClearedSeq:   view.ClearedSeq,
		Unread:       view.Unread,
		Mentions:     view.Mentions,
		MarkedUnread: view.MarkedUnread,
		Pin:          view.Pin,
		MutedUntil:   timestampOf(view.MutedUntil),
		Hide:         parleyv1.Hide(view.Hide),
		Tags:         view.Tags,
		Custom:       view.Custom,
		ReadAt:       timestampOf(view.ReadAt),
	}
	if view.Draft != nil {
		membership.Draft = &parleyv1.Draft{Text: view.Draft.Text, EditedAt: timestampOf(view.Draft.EditedAt.Time())}
	}
	return membership
}
