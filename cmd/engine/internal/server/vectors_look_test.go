package server

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func (r *runner) look(t *testing.T, s *step) {
	t.Helper()
	var (
		seen    proto.Message
		refusal *refusal
		views   []proto.Message // of single conversations or members, or what changed
	)
	switch {
	case s.Get != nil:
		conversation, no := r.door.get(t, r.request(t, s.Get, 0))
		seen, refusal, views = conversation, no, []proto.Message{conversation}
	case s.List != nil:
		page, no := r.door.list(t, r.request(t, s.List, 0))
		seen, refusal = page, no
		for _, conversation := range page.GetConversations() {
			views = append(views, conversation)
		}
	case s.Sync != nil:
		changes, no := r.door.sync(t, r.request(t, s.Sync, 0))
		seen, refusal = changes, no
		views = append(views, changes)
	case s.Members != nil:
		page, no := r.door.members(t, r.request(t, s.Members, 0))
		seen, refusal = page, no
		for _, membership := range page.GetMembers() {
			views = append(views, &parleyv1.Conversation{Membership: membership})
		}
	case s.Forget != nil:
		progress, no := r.door.forget(t, r.request(t, s.Forget, 0))
		seen, refusal = progress, no
	}
	want := r.expected(t, s)
	if refusal != nil {
		if outcome := codeWord(refusal.detail); outcome != want || refusal.detail.GetField() != s.Field {
			t.Errorf("%s: refused with %v, want %s %s", r.at, refusal.detail, want, s.Field)
		}
		r.record(t, refusal.code.String(), refusal.detail)
		return
	}
	r.record(t, "", seen)
	if want != "" {
		r.promise(t, s, want, views)
	}
	r.match(t, "view", s.Shows, seen)
}

// promise checks a look by the word of its cell: what the column is about is there in the one view, or not.
func (r *runner) promise(t *testing.T, s *step, word string, views []proto.Message) {
	t.Helper()
	if len(views) != 1 {
		t.Errorf("%s: %d conversations or members are seen, want one", r.at, len(views))
		return
	}
	if changes, ok := views[0].(*parleyv1.SyncResponse); ok {
		told, removed := len(changes.GetChanged()), len(changes.GetRemoved())
		if holds := map[string]bool{"told": told == 1 && removed == 0, "removed": told == 0 && removed == 1, "not told": told+removed == 0}[word]; !holds {
			t.Errorf("%s: %s is promised at %q, but what changed is %v", r.at, word, s.Cell, changes)
		}
		return
	}
	view, _ := views[0].(*parleyv1.Conversation) // look makes no others
	_, column, _ := strings.Cut(s.Cell, " | ")
	var is, isNot bool // not each other's opposites where a column is about two fields
	switch column {
	case "unread":
		is = view.GetMembership().GetUnread() > 0
		isNot = !is
	case "mentions":
		is = view.GetMembership().GetMentions() > 0
		isNot = !is
	case "last sender and preview":
		is = view.GetLastSender() != "" && len(view.GetPreview()) > 0
		isNot = view.GetLastSender() == "" && len(view.GetPreview()) == 0
	case "draft":
		is = view.GetMembership().GetDraft() != nil
		isNot = !is
	default:
		t.Fatalf("%s: no look can hold %q", r.at, s.Cell)
	}
	if holds := map[string]bool{"counts": is, "shown": is, "not counted": isNot, "not shown": isNot}[word]; !holds {
		t.Errorf("%s: %s is promised at %q, but seen is %v", r.at, word, s.Cell, view)
	}
}
