package actors

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Pages.
const (
	DefaultPage = 100   // what a Limit of 0 means
	MaxPage     = 1_000 // the highest Limit
)

// MembersQuery selects memberships of a conversation: the named ones, or a page of all.
type MembersQuery struct {
	Conversation string
	Users        []string // at most 1,000; where set, Limit and PageToken are not used
	Limit        int      // 0: DefaultPage; at most MaxPage
	PageToken    string   // from the page before; "": the first
}

// MembersPage is a page of memberships, in the order of the users' names.
type MembersPage struct {
	Members       []conversation.MembershipView
	NextPageToken string // "": this was the last
}

// Members returns memberships of a conversation. Named users come in the order given, those without a membership left out and those who left included:
// VisibleTo tells. A page of all has current members only. Each membership is as of some moment during the call. Errors are those of [Engine.Get].
func (e *Engine) Members(ctx context.Context, q MembersQuery) (MembersPage, error) {
	limit, after, err := q.check()
	if err != nil {
		return MembersPage{}, err
	}
	rows, ok, err := e.read(ctx, q.Conversation, "")
	if err != nil {
		return MembersPage{}, err
	}
	if !ok {
		return MembersPage{}, notFound(q.Conversation)
	}
	users, named := q.Users, len(q.Users) > 0
	if !named {
		if users, err = e.memberNames(ctx, q.Conversation, rows.Head.Generation, after); err != nil {
			return MembersPage{}, unavailable(q.Conversation, err)
		}
	}
	var page MembersPage
	for i, user := range users {
		if !named && len(page.Members) == limit {
			page.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(users[i-1]))
			break
		}
		member, ok, err := e.read(ctx, q.Conversation, user)
		if err != nil {
			return MembersPage{}, err
		}
		if !ok {
			return MembersPage{}, notFound(q.Conversation)
		}
		if member.Membership != nil && (named || !member.Membership.Left) {
			page.Members = append(page.Members, *member.MemberView(user))
		}
	}
	return page, nil
}

func (q *MembersQuery) check() (limit int, after string, err error) {
	if err := conversation.CheckConversation(q.Conversation); err != nil {
		return 0, "", err
	}
	if len(q.Users) > conversation.MaxUsers {
		return 0, "", conversation.Invalid("users", fmt.Sprintf("must be at most %d, are %d", conversation.MaxUsers, len(q.Users)))
	}
	for i, user := range q.Users {
		if err := conversation.CheckUser(fmt.Sprintf("users[%d]", i), user); err != nil {
			return 0, "", err
		}
	}
	if limit, err = checkLimit(q.Limit); err != nil || q.PageToken == "" {
		return limit, "", err
	}
	name, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	if err != nil || persistence.CheckUser(string(name)) != nil {
		return 0, "", conversation.Invalid("page_token", "is not one that the server gave")
	}
	return limit, string(name), nil
}

func checkLimit(limit int) (int, error) {
	switch {
	case limit < 0 || limit > MaxPage:
		return 0, conversation.Invalid("limit", fmt.Sprintf("must be 0 to %d", MaxPage))
	case limit == 0:
		return DefaultPage, nil
	}
	return limit, nil
}

// memberNames returns the users, after the one named, who are or were members in a generation, in order.
func (e *Engine) memberNames(ctx context.Context, name string, generation persistence.Generation, after string) ([]string, error) {
	within := persistence.MembersRange(name)
	if after != "" {
		within = within.After(persistence.MemberKey(name, after))
	}
	var names []string
	add := func(key, value []byte) error {
		member, err := persistence.DecodeMember(value)
		if err != nil || member.Generation != generation {
			return err
		}
		_, user, err := persistence.ParseMemberKey(key)
		if err == nil {
			names = append(names, user)
		}
		return err
	}
	e.settleEach(name)
	for _, row := range e.journal.Rows(name, within) {
		if err := add(row.Key, row.Value); err != nil {
			return nil, err
		}
	}
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, within) {
		if err == nil {
			err = add(row.Key, row.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
