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
	// SyncCursor is for [Engine.Sync]: it was taken before the first page was read, and is the same on all pages. What moves from one page to another while they are
	// read comes from there.
	SyncCursor string
	Cost       ReadCost
}

// listPlace is a conversation's place in a list. A page token is the last place of its page.
type listPlace struct {
	Pin     uint64              `json:"p,omitempty"`
	Ordered persistence.Instant `json:"o"`
	Name    string              `json:"n"`
	Cursor  string              `json:"s"` // in tokens
}

func (p *listPlace) compare(q *listPlace) int {
	return cmp.Or(cmp.Compare(q.Pin, p.Pin), cmp.Compare(q.Ordered, p.Ordered), cmp.Compare(p.Name, q.Name))
}

// Conversations returns a page of a user's conversations. Each is as of some moment during the call; what was applied before it is seen. A conversation that moves
// up between two pages may be missing from both: see [ListPage.SyncCursor]. It returns an error of kind ErrInvalid for a bad name, limit or token. It reads memory and the
// store, and waits for its turn (see Config.Readers) and for nothing else.
//
// Its cost grows with the page, not with the number of the user's conversations: it reads those of large rosters, and of the others those that were last active in the same
// hours as those of the page, or up to an hour before. A filter makes it read on until the page is full.
func (e *Engine) Conversations(ctx context.Context, q ListQuery) (ListPage, error) {
	l, err := e.listing(&q)
	if err != nil {
		return ListPage{}, err
	}
	began := e.clock.now()
	page, err := l.page(ctx)
	e.answered(&ReadInfo{What: "list", User: q.User, Cost: l.cost, Err: err}, began)
	return page, err
}

// listing returns what reads a page, and has not read anything yet.
func (e *Engine) listing(q *ListQuery) (*listing, error) {
	limit, after, err := q.check()
	if err != nil {
		return nil, err
	}
	if e.stopped() {
		return nil, unavailable("", ErrStopped)
	}
	return &listing{Engine: e, query: q, limit: limit, after: after, known: map[string]struct{}{}}, nil
}

func (l *listing) page(ctx context.Context) (page ListPage, err error) {
	giveBack, err := l.take(ctx)
	if err != nil {
		return ListPage{}, err
	}
	defer giveBack()
	if l.after != nil {
		page.SyncCursor = l.after.Cursor
	} else {
		page.SyncCursor = l.cursorNow()
	}
	if err := l.collect(ctx); err != nil {
		return ListPage{}, asError(err)
	}
	page.Conversations = make([]conversation.View, 0, min(len(l.found), l.limit))
	for i := range l.found {
		if i == l.limit {
			if page.NextPageToken, err = l.found[i-1].token(page.SyncCursor); err != nil {
				return ListPage{}, err
			}
			break
		}
		view, err := l.listView(ctx, &l.found[i], l.query.User)
		if err != nil {
			return ListPage{}, err
		}
		page.Conversations = append(page.Conversations, view)
	}
	page.Cost = l.cost
	return page, nil
}

// listView is what a list shows of a conversation.
func (e *Engine) listView(ctx context.Context, it *listItem, user string) (view conversation.View, err error) {
	view = it.rows.View(it.Name, user)
	view.Membership.Draft = nil
	view.Peer, err = e.peer(ctx, it.Name, user, it.rows)
	return view, err
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

func (p listPlace) token(cursor string) (string, error) {
	p.Cursor = cursor
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

// listing finds the first of a user's conversations that are behind a place.
type listing struct {
	*Engine

	query *ListQuery
	limit int
	after *listPlace // nil: from the first on
	known map[string]struct{}
	index *index
	found []listItem // in their order once collect has returned
	cost  ReadCost
	trace *listTrace // nil: nobody asks how it goes
}

type listItem struct {
	listPlace

	rows conversation.Rows
}

// collect finds one more than the page has room for, if there is one.
func (l *listing) collect(ctx context.Context) (err error) {
	if l.index, err = l.Engine.index(l.query.User, &l.cost); err != nil {
		return err
	}
	defer l.index.close()
	if l.after == nil || l.after.Pin > 0 {
		if err := l.all(ctx, persistence.EntryPinned); err != nil {
			return err
		}
		if l.above(forever) > l.limit {
			l.trim()
			return nil
		}
	}
	if err := l.all(ctx, persistence.EntryMerged); err != nil {
		return err
	}
	if err := l.active(ctx); err != nil {
		return err
	}
	l.trim()
	return nil
}

// all looks up all conversations that have an entry of a kind.
func (l *listing) all(ctx context.Context, kind persistence.EntryKind) error {
	var all []entry
	for entry, err := range l.index.entries(ctx, kind, 0, 0) {
		if err != nil {
			return err
		}
		all = append(all, entry)
	}
	return l.add(ctx, kind, l.unknown(all))
}

// atOnce bounds how many conversations are looked up before those that cannot be on the page are let go.
const atOnce = 512

// above counts what was found that nothing which was last active before a moment can come before.
func (l *listing) above(at persistence.Instant) (n int) {
	for i := range l.found {
		if l.found[i].Pin > 0 || l.found[i].Ordered >= at {
			n++
		}
	}
	return n
}

// unknown leaves those out that were looked up already. It uses entries up.
func (l *listing) unknown(entries []entry) []entry {
	return slices.DeleteFunc(entries, func(e entry) bool {
		_, known := l.known[e.name]
		l.known[e.name] = struct{}{}
		return known
	})
}

// add looks conversations up that entries of a kind led to, and keeps those that belong on the page or behind it.
func (l *listing) add(ctx context.Context, kind persistence.EntryKind, entries []entry) error {
	looked, err := l.lookAll(ctx, l.query.User, namesOf(entries), &l.cost)
	if err != nil {
		return err
	}
	l.found = slices.Grow(l.found, len(entries))
	for i, e := range entries {
		item, fate := l.judge(e.name, &looked[i])
		if fate == FateLater {
			l.found = append(l.found, item)
		}
		l.trace.note(LookedUp{Conversation: e.name, Entry: kind, At: e.at.Time(), Fate: fate})
	}
	if len(l.found) > l.limit+atOnce {
		l.trim()
	}
	return nil
}

// judge says where a conversation belongs: FateLater is on the page or behind it.
func (l *listing) judge(name string, found *seen) (listItem, Fate) {
	rows := found.rows
	if !found.alive {
		return listItem{}, FateGone
	}
	if listed, _ := rows.Listed(); !listed {
		return listItem{}, FateGone
	}
	if !l.query.selects(rows) {
		return listItem{}, FateFiltered
	}
	place := listPlace{Pin: rows.Membership.Pin, Ordered: rows.Ordered(), Name: name}
	if l.after != nil && l.after.compare(&place) >= 0 {
		return listItem{}, FateEarlier
	}
	return listItem{place, rows}, FateLater
}

// trim keeps the page, and one more, which shows that there is another.
func (l *listing) trim() {
	slices.SortFunc(l.found, func(a, b listItem) int { return a.compare(&b.listPlace) })
	if more := l.limit + 1; len(l.found) > more {
		clear(l.found[more:])
		l.found = l.found[:more]
	}
}
