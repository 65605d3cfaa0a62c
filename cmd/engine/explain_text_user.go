package main

import (
	"fmt"
	"strings"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// user says what one user is shown.
func (t *text) user(u *parleyv1.UserExplanation, h *parleyv1.HeadExplanation) {
	fmt.Fprintf(&t.out, "\n%s\n\n", named(u.GetUser()))
	switch {
	case u.GetStale() != 0:
		t.line("member", "no: what is there of them is of generation %d, and counts for nothing", u.GetStale())
		return
	case !u.GetMember():
		t.line("member", "no")
		return
	}
	state := "yes"
	if u.GetLeft() {
		state = whether(u.GetKeep(), "left, but keeps it in their list", "left")
	}
	pending := whether(u.GetPending(), "; not all of it is in the store yet", "")
	t.line("member", "%s; version %d, revision %d, last changed %s%s", state, u.GetVersion(), u.GetRevision(), t.at(u.GetChanged()), pending)
	sees := fmt.Sprintf("messages from %d on", u.GetVisibleFrom())
	if u.GetLeft() {
		sees = fmt.Sprintf("messages %d to %d", u.GetVisibleFrom(), u.GetVisibleTo())
	}
	t.line("sees", "%s", sees)
	t.sum(u.GetUnread(), h)
	t.line("delivered", "up to %d; read %s", u.GetDeliveredSeq(), t.at(u.GetReadAt()))
	listed := whether(u.GetListed(), "yes", "no")
	hide := [...]string{"not hidden", "hidden until the next message", "hidden"}[min(max(int(u.GetHide()), 0), 2)]
	t.line("in the list", "%s; %s", listed, hide)
	for _, e := range u.GetEntries() {
		at := ""
		if e.GetAt() != nil {
			at = " at " + minuteTime(e.GetAt()) + ", moved at the earliest at " + minuteTime(e.GetMoves())
		}
		t.line("", "%s entry%s%s", entryWord(e.GetKind()), at, whether(e.GetPresent(), "", ": MISSING"))
	}
	muted := "no"
	if u.GetMuted() {
		muted = "until " + t.at(u.GetMutedUntil())
	}
	t.line("muted", "%s", muted)
	t.line("own", "pin %d, tags %#x, %s of custom data, %s of a draft", u.GetPin(), u.GetTags(), counted(u.GetCustomBytes(), "byte"), counted(u.GetDraftBytes(), "byte"))
}

// sum says how the unread count comes about, in lines that sum up.
func (t *text) sum(s *parleyv1.UnreadSum, h *parleyv1.HeadExplanation) {
	last := "the last message"
	if s.GetLast() != h.GetLastSeq() {
		last = fmt.Sprintf("the last message that they may see, of %d", h.GetLastSeq())
	}
	t.line("unread", "%12d  %s", s.GetLast(), last)
	t.line("", "- %10d  the highest of: read %d, cleared %d, before they see any %d%s", s.GetFrom(), s.GetRead(), s.GetCleared(), s.GetBefore(),
		whether(s.GetFrom() < max(s.GetRead(), s.GetCleared(), s.GetBefore()), ", but at most the last", ""))
	t.line("", "- %10d  silent or retracted", s.GetUncounted())
	t.line("", "- %10d  their own", s.GetOwn())
	exact := "exact"
	if !s.GetExact() {
		exact = fmt.Sprintf("not exact: of %d the sender is not known any more", s.GetSendersUnknown())
		if s.GetOlder() > 0 {
			exact += fmt.Sprintf(", and %d count as numbered", s.GetOlder())
		}
	}
	t.line("", "= %10d  unread (%s)", s.GetUnread(), exact)
	if s.GetReadAhead() > 0 {
		t.line("", "they have read %s ahead", counted(s.GetReadAhead(), "message"))
	}
	if s.GetMarked() {
		t.line("", "and they marked it unread, until they read it next")
	}
	t.line("mentions", "%d: %s", len(s.GetNamed())+len(s.GetEveryone()), mentionsText(s))
}

func mentionsText(s *parleyv1.UnreadSum) string {
	var parts []string
	for _, part := range []struct {
		what string
		seqs []uint64
	}{{"name them", s.GetNamed()}, {"name everybody", s.GetEveryone()}} {
		if len(part.seqs) > 0 {
			parts = append(parts, strings.Trim(fmt.Sprint(part.seqs), "[]")+" "+part.what)
		}
	}
	if len(parts) == 0 {
		return "none of the unread messages names them"
	}
	return strings.Join(parts, "; ")
}
