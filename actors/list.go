package actors

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// ListQuery selects a page of a user's conversations.
type ListQuery struct {
	User       string
	Limit      int    // 0: DefaultPage; at most MaxPage
	PageToken  string // from the page before; "": the first
	UnreadOnly bool   // only those with something unread, or marked so
	TagsAny    uint64 // only those with one of these tags; 0: all
	Hidden     bool   // the hidden ones instead of the others
}

// ListPage is a page of a user's conversations: pinned first (largest pin first), then newest activity first, then by name.
type ListPage struct {
	Conversations []conversation.View // without drafts
	NextPageToken string              // "": this was the last
}

// listPlace is a conversation's place in a list. A page token is the last place of its page.
type listPlace struct {
	Pin     uint64              `json:"p,omitempty"`
	Ordered persistence.Instant `json:"o"`
	Name    string              `json:"n"`
}

func (p listPlace) compare(q listPlace) int {
	return cmp.Or(cmp.Compare(q.Pin, p.Pin), cmp.Compare(q.Ordered, p.Ordered), cmp.Compare(p.Name, q.Name))
}

// Conversations returns a page of a user's conversations. Each is as of some moment during the call; what was applied before it is seen. A conversation that moves
// up between two pages may be missing from both. It returns an error of kind ErrInvalid for a bad name, limit or token. Its cost grows with the
// number of the user's conversations, not of the page.
func (e *Engine) Conversations(ctx context.Context, q ListQuery) (ListPage, error) {
	limit, after, err := q.check()
	if err != nil {
		return ListPage{}, err
	}
	names, err := e.conversationNames(ctx, q.User)
	if err != nil {
		return ListPage{}, err
	}
	type item struct {
		place listPlace
		rows  conversation.Rows
	}
	var items []item
	for _, name := range names {
		rows, ok, err := e.read(ctx, name, q.User)
		if err != nil {
			return ListPage{}, err
		}
		if !ok || !q.selects(rows) {
			continue
		}
		place := listPlace{Pin: rows.Membership.Pin, Ordered: rows.Head.Ordered, Name: name}
		if after == nil || after.compare(place) < 0 {
			items = append(items, item{place, rows})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.place.compare(b.place) })
	var page ListPage
	for i, it := range items {
		if i == limit {
			if page.NextPageToken, err = items[i-1].place.token(); err != nil {
				return ListPage{}, err
			}
			break
		}
		view := it.rows.View(it.place.Name, q.User)
		view.Membership.Draft = nil
		if view.Peer, err = e.peer(ctx, it.place.Name, q.User, it.rows); err != nil {
			return ListPage{}, err
		}
		page.Conversations = append(page.Conversations, view)
	}
	return page, nil
}

func (q *ListQuery) check() (limit int, after *listPlace, err error) {
	if err := conversation.CheckUser("user", q.User); err != nil {
		return 0, nil, err
	}
	if limit, err = checkLimit(q.Limit); err != nil || q.PageToken == "" {
		return limit, nil, err
	}
	after = &listPlace{}
	text, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	if err == nil {
		err = json.Unmarshal(text, after)
	}
	if err != nil || persistence.CheckConversation(after.Name) != nil {
		return 0, nil, conversation.Invalid("page_token", "is not one that the server gave")
	}
	return limit, after, nil
}

func (p listPlace) token() (string, error) {
	text, err := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// selects reports whether the list has the conversation.
func (q *ListQuery) selects(rows conversation.Rows) bool {
	listed, hidden := rows.Listed()
	if !listed || hidden != q.Hidden || (q.TagsAny != 0 && rows.Membership.Tags&q.TagsAny == 0) {
		return false
	}
	if !q.UnreadOnly {
		return true
	}
	m := rows.MemberView(q.User)
	return m.Unread > 0 || m.MarkedUnread
}

// conversationNames returns the conversations of which the user has a membership, of whatever generation, in no order.
func (e *Engine) conversationNames(ctx context.Context, user string) ([]string, error) {
	if e.stopped() {
		return nil, unavailable("", ErrStopped)
	}
	names := e.journal.Conversations(user)
	known := make(map[string]struct{}, len(names))
	for _, name := range names {
		known[name] = struct{}{}
	}
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, unavailable("", err)
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, persistence.MembershipsRange(user)) {
		if err != nil {
			return nil, unavailable("", err)
		}
		_, name, err := persistence.ParseMembershipKey(row.Key)
		if err != nil {
			return nil, unavailable("", err)
		}
		if _, ok := known[name]; !ok {
			names = append(names, name)
		}
	}
	return names, nil
}
