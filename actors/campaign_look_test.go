package actors_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// look compares what everybody, and every other user, sees of some conversations.
func (c *campaign) look(names ...string) {
	c.t.Helper()
	now := time.Now().UnixMicro()
	for _, name := range names {
		a := c.accounts[name]
		for i, user := range append([]string{""}, people...) {
			if i > 0 && c.random.IntN(2) == 0 {
				continue
			}
			if want, got := a.sight(user, now), seen(c.View(name, user)); want != got {
				c.differ(name, "what %q sees (-want +got):\n%s", user, cmp.Diff(want, got))
			}
		}
		if c.random.IntN(8) == 0 {
			c.lookAtMembers(name, now)
		}
	}
}

func (c *campaign) lookAtMembers(name string, now int64) {
	c.t.Helper()
	a := c.accounts[name]
	if a.life != nil && len(a.members) > len(people) {
		return // a crowd: too many for a page
	}
	for _, query := range []actors.MembersQuery{{Conversation: name}, {Conversation: name, Users: people}} {
		var want, got []sight
		if a.alive(now) {
			for _, user := range people {
				if m, ok := a.members[user]; ok && (!m.left || query.Users != nil) {
					want = append(want, a.membership(user))
				}
			}
		}
		page, err := c.Members(c.t.Context(), query)
		if err != nil && (a.alive(now) || !errors.Is(err, conversation.ErrNotFound)) {
			c.differ(name, "its members: %v", err)
		}
		for i := range page.Members {
			var s sight
			s.add(&page.Members[i])
			got = append(got, s)
		}
		if !slices.Equal(want, got) {
			c.differ(name, "its members, named %v (-want +got):\n%s", query.Users != nil, cmp.Diff(want, got))
		}
	}
}

// lookAtAList compares a user's list, page by page.
func (c *campaign) lookAtAList(user string) {
	c.t.Helper()
	now := time.Now().UnixMicro()
	query := actors.ListQuery{User: user, Limit: 3, Hidden: c.random.IntN(3) == 0, UnreadOnly: c.random.IntN(3) == 0, TagsAny: uint64(c.random.IntN(3))}
	type row struct {
		Name string
		Seen sight
	}
	var want, got []row
	for _, name := range c.names {
		a := c.accounts[name]
		listed, hidden := a.listed(user, now)
		if !listed || hidden != query.Hidden {
			continue
		}
		s := a.sight(user, now)
		s.Draft, s.DraftAt = "", 0
		if (query.TagsAny == 0 || s.Tags&query.TagsAny != 0) && (!query.UnreadOnly || s.Unread > 0 || s.MarkedUnread) {
			want = append(want, row{name, s})
		}
	}
	slices.SortFunc(want, func(x, y row) int {
		switch {
		case x.Seen.Pin != y.Seen.Pin:
			return 1 - 2*btoi(x.Seen.Pin > y.Seen.Pin)
		case x.Seen.LastActivity != y.Seen.LastActivity:
			return 1 - 2*btoi(x.Seen.LastActivity > y.Seen.LastActivity)
		}
		return strings.Compare(x.Name, y.Name)
	})
	for {
		page, err := c.Conversations(c.t.Context(), query)
		if err != nil {
			c.t.Fatalf("the list of %s: %v", user, err)
		}
		for i := range page.Conversations {
			got = append(got, row{page.Conversations[i].Conversation, seen(&page.Conversations[i])})
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if !slices.Equal(want, got) {
		name := c.names[0]
		for i := range min(len(want), len(got)) {
			if want[i] != got[i] {
				name = want[i].Name
				break
			}
		}
		c.differ(name, "the list of %s, %+v (-want +got):\n%s", user, query, cmp.Diff(want, got))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
