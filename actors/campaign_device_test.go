package actors_test

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
)

// device is a client that keeps a user's list by folding what syncs tell it.
type device struct {
	user   string
	limit  int
	cursor string
	list   map[string]sight
	full   bool // the answer that is being read tells everything
	middle bool // there are more pages of it
}

// fold takes a page in.
func (d *device) fold(page *actors.SyncPage) {
	if page.Full && !d.full {
		d.list = nil
	}
	if d.list == nil {
		d.list = map[string]sight{}
	}
	d.full, d.middle, d.cursor = page.Full && page.More, page.More, page.Cursor
	for _, r := range page.Removed {
		delete(d.list, r.Conversation)
	}
	for i := range page.Changed {
		d.list[page.Changed[i].Conversation] = seen(&page.Changed[i])
	}
}

// sync has some devices ask what changed. Those that read to the end have the list; others stop in the middle, and go on after whatever happens meanwhile.
func (c *campaign) sync() {
	c.t.Helper()
	for _, d := range c.devices {
		switch n := c.random.IntN(12); {
		case n < 4:
			c.follow(d)
		case n < 6:
			c.page(d)
		case n == 6 && c.random.IntN(4) == 0:
			c.seed(d)
		}
	}
}

func (c *campaign) page(d *device) {
	c.t.Helper()
	page, err := c.Sync(c.t.Context(), actors.SyncQuery{User: d.user, Cursor: d.cursor, Limit: d.limit})
	if err != nil {
		c.t.Fatalf("the sync of %s: %v", d.user, err)
	}
	if page.Full && d.cursor != "" && !d.full {
		c.tally["synced everything anew"]++
	}
	c.tally["removed"] += len(page.Removed)
	if d.fold(&page); len(page.Changed)+len(page.Removed) > d.limit {
		c.t.Fatalf("the sync of %s: %d changed and %d removed on a page of %d", d.user, len(page.Changed), len(page.Removed), d.limit)
	}
}

// follow reads an answer to its end, and where that began before, another. Time stands still meanwhile, and nothing changes.
func (c *campaign) follow(d *device) {
	c.t.Helper()
	c.Advance(0) // what is deleted while one looks may be told by the next answer
	again := d.middle
	for pages := 0; ; pages++ {
		c.page(d)
		switch {
		case pages > 10*len(c.names):
			c.t.Fatalf("the sync of %s does not end", d.user)
		case d.middle:
			continue
		case again:
			again = false
			continue
		}
		break
	}
	now := time.Now().UnixMicro()
	for _, name := range c.names {
		a := c.accounts[name]
		var want sight
		if listed, hidden := a.listed(d.user, now); listed && !hidden {
			want = a.sight(d.user, now)
			want.Draft, want.DraftAt = "", 0
		}
		if got := d.list[name]; want != got {
			c.differ(name, "what a device of %s has after a sync (-want +got):\n%s", d.user, cmp.Diff(want, got))
		}
	}
	for name := range d.list {
		if !slices.Contains(c.names, name) {
			c.t.Fatalf("a device of %s has %s", d.user, name)
		}
	}
}

// seed has a device begin anew, with the list.
func (c *campaign) seed(d *device) {
	c.t.Helper()
	*d = device{user: d.user, limit: d.limit, list: map[string]sight{}}
	for query := (actors.ListQuery{User: d.user, Limit: d.limit}); ; {
		page, err := c.Conversations(c.t.Context(), query)
		if err != nil {
			c.t.Fatalf("the list of %s: %v", d.user, err)
		}
		if d.cursor != "" && d.cursor != page.SyncCursor {
			c.t.Fatalf("the list of %s: the cursor of a later page is another one", d.user)
		}
		d.cursor = page.SyncCursor
		for i := range page.Conversations {
			d.list[page.Conversations[i].Conversation] = seen(&page.Conversations[i])
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return
		}
		if c.random.IntN(6) == 0 {
			c.Advance(time.Duration(c.random.IntN(5000)) * time.Microsecond)
		}
	}
}

// lookAtABadge compares a user's totals.
func (c *campaign) lookAtABadge(user string) {
	c.t.Helper()
	now := time.Now().UnixMicro()
	var want actors.Badge
	for _, name := range c.names {
		a := c.accounts[name]
		if listed, hidden := a.listed(user, now); !listed || hidden {
			continue
		}
		s := a.sight(user, now)
		unread := s.Unread
		if s.MarkedUnread {
			unread = max(unread, 1)
		}
		want.Mentions += s.Mentions
		switch {
		case now < s.MutedUntil:
			want.MutedUnread += unread
		case unread > 0:
			want.Unread += unread
			want.Conversations++
		}
	}
	got := c.BadgeOf(user)
	if got.Cost = (actors.ReadCost{}); got != want {
		c.t.Fatalf("the badge of %s (-want +got):\n%s", user, cmp.Diff(want, got))
	}
}
