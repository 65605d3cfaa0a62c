package actors

import (
	"context"

	"github.com/parley-im/parley/actors/conversation"
)

// Get returns a conversation; where user is not "", as that user sees it, with their membership if they have one. It returns an error of kind
// ErrNotFound where there is none or it is over, ErrInvalid for a bad name. What was applied before the call is seen. It reads memory and the store,
// and waits for nothing else.
func (e *Engine) Get(ctx context.Context, name, user string) (conversation.View, error) {
	if err := conversation.CheckConversation(name); err != nil {
		return conversation.View{}, err
	}
	if user != "" {
		if err := conversation.CheckUser("user", user); err != nil {
			return conversation.View{}, err
		}
	}
	rows, ok, err := e.read(ctx, name, user)
	if err != nil {
		return conversation.View{}, err
	}
	if !ok {
		return conversation.View{}, notFound(name)
	}
	view := rows.View(name, user)
	if user != "" {
		if view.Peer, err = e.peer(ctx, name, user, rows); err != nil {
			return conversation.View{}, err
		}
	}
	return view, nil
}

func notFound(name string) *conversation.Error {
	return &conversation.Error{Kind: conversation.ErrNotFound, Conversation: name, Reason: "no such conversation"}
}

// read returns the rows of a conversation as they are now, and false where it is not there or over.
func (e *Engine) read(ctx context.Context, name, user string) (conversation.Rows, bool, error) {
	seen, err := e.look(ctx, name, user, &ReadCost{})
	return seen.rows, seen.alive, err
}

// stopped reports whether the engine has ended: then the store may be closed.
func (e *Engine) stopped() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// peer returns the other member where exactly two take part, the user being one of them.
func (e *Engine) peer(ctx context.Context, name, user string, rows conversation.Rows) (string, error) {
	if !rows.Head.Large || rows.Head.Members != 2 || rows.Membership == nil || rows.Membership.Left {
		return rows.Peer(user), nil
	}
	names, err := e.memberNames(ctx, name, rows.Head.Generation, "")
	if err != nil {
		return "", unavailable(name, err)
	}
	for _, other := range names {
		if other == user {
			continue
		}
		member, ok, err := e.read(ctx, name, other)
		if err != nil {
			return "", err
		}
		if ok && member.Membership != nil && !member.Membership.Left {
			return other, nil
		}
	}
	return "", nil
}
