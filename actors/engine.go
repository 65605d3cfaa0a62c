package actors

import (
	"context"
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Engine keeps conversations. Its methods may be called from any goroutine.
type Engine struct{}

var errTODO = errors.New("unbuilt")

// Start starts an engine on a store.
func Start(ctx context.Context, system *actor.ActorSystem, store persistence.Store, config Config) (*Engine, error) {
	return nil, errTODO
}

// PID returns the engine's address in the host's actor system; nil without one.
func (e *Engine) PID() *actor.PID { return nil }

// Propose applies one change and answers at the proposal's ack level. The error is the reply's Err. When ctx ends first, the outcome is unknown
// and the error wraps ctx's.
func (e *Engine) Propose(ctx context.Context, p *Proposal) (Reply, error) { return Reply{}, errTODO }

// ProposeBatch applies many, in order per conversation; each has its own reply, at its own index. After one was refused as overloaded, later ones
// of its conversation are refused too.
func (e *Engine) ProposeBatch(ctx context.Context, ps []*Proposal) ([]Reply, error) {
	return nil, errTODO
}

// Get returns a conversation, with one member's view of it where user is not "".
func (e *Engine) Get(ctx context.Context, id, user string) (conversation.View, error) {
	return conversation.View{}, errTODO
}

// ListQuery selects a page of a user's conversations.
type ListQuery struct {
	User       string
	Limit      int    // 0: 100; at most 1,000
	PageToken  string // from the page before; "": the first
	UnreadOnly bool
	TagsAny    uint64
	Hidden     bool
}

// ListPage is a page of a user's conversations: pinned first (largest pin first), then newest activity first.
type ListPage struct {
	Conversations []conversation.View
	NextPageToken string // "": this was the last
}

// Conversations returns a page of a user's conversations.
func (e *Engine) Conversations(ctx context.Context, q ListQuery) (ListPage, error) {
	return ListPage{}, errTODO
}

// MembersQuery selects memberships of a conversation: the named ones, or a page of all.
type MembersQuery struct {
	Conversation string
	Users        []string // at most 1,000
	Limit        int      // 0: 100; at most 1,000
	PageToken    string
}

// MembersPage is a page of memberships, in the order of the users' names.
type MembersPage struct {
	Members       []conversation.MembershipView
	NextPageToken string
}

// Members returns memberships of a conversation.
func (e *Engine) Members(ctx context.Context, q MembersQuery) (MembersPage, error) {
	return MembersPage{}, errTODO
}

// Stats returns what the engine counts.
func (e *Engine) Stats() Stats { return Stats{} }

// Settle returns once everything accepted before the call was applied and everything due by now was judged and, where expired, durably deleted.
func (e *Engine) Settle(ctx context.Context) error { return errTODO }

// Stop drains.
func (e *Engine) Stop(ctx context.Context) error { return errTODO }

// Done is closed once the engine has stopped.
func (e *Engine) Done() <-chan struct{} { return nil }

// Err says why the engine stopped by itself; nil if it did not.
func (e *Engine) Err() error { return nil }
