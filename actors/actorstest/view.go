package actorstest

import (
	"context"
	"errors"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// View returns what a user sees of a conversation, nil where there is nothing. Where user is "", it is what is shown to nobody in particular.
func (e *Engine) View(name, user string) *conversation.View {
	e.t.Helper()
	v, err := e.Get(context.Background(), name, user)
	if errors.Is(err, conversation.ErrNotFound) {
		return nil
	}
	if err != nil {
		e.t.Fatalf("get %s for %q: %v", name, user, err)
	}
	return &v
}

// List returns a user's whole list, of all pages, without the hidden conversations.
func (e *Engine) List(user string) []conversation.View {
	e.t.Helper()
	var all []conversation.View
	for q := (actors.ListQuery{User: user, Limit: actors.MaxPage}); ; {
		page, err := e.Conversations(context.Background(), q)
		if err != nil {
			e.t.Fatalf("list the conversations of %q: %v", user, err)
		}
		all = append(all, page.Conversations...)
		if q.PageToken = page.NextPageToken; q.PageToken == "" {
			return all
		}
	}
}

// MembersOf returns a conversation's members, of all pages, in the order of their names; none where there is no such conversation.
func (e *Engine) MembersOf(name string) []conversation.MembershipView {
	e.t.Helper()
	var all []conversation.MembershipView
	for q := (actors.MembersQuery{Conversation: name, Limit: actors.MaxPage}); ; {
		page, err := e.Members(context.Background(), q)
		if errors.Is(err, conversation.ErrNotFound) {
			return nil
		}
		if err != nil {
			e.t.Fatalf("members of %s: %v", name, err)
		}
		all = append(all, page.Members...)
		if q.PageToken = page.NextPageToken; q.PageToken == "" {
			return all
		}
	}
}

// BadgeOf returns a user's totals.
func (e *Engine) BadgeOf(user string) actors.Badge {
	e.t.Helper()
	badge, err := e.Badge(context.Background(), user)
	if err != nil {
		e.t.Fatalf("badge of %q: %v", user, err)
	}
	return badge
}
