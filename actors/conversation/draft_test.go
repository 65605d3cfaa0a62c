package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

// draft is what the user had typed at that time from the start; "" where they had deleted it all.
func draft(user, text string, edited time.Duration) *conversation.Set {
	return &conversation.Set{User: user, Draft: &conversation.Draft{Text: []byte(text), EditedAt: start.Add(edited).Time()}}
}

// drafted requires that the user is shown that draft; "" for none.
func (w *world) drafted(user, want string) {
	w.Helper()
	d := w.view(user).Membership.Draft
	switch {
	case d == nil && want != "":
		w.Fatalf("%s has no draft, want %q", user, want)
	case d != nil && (want == "" || string(d.Text) != want):
		w.Fatalf("%s's draft is %q, want %q", user, d.Text, want)
	}
}

func TestTheNewestEditWinsInAnyOrder(t *testing.T) {
	edits := []*conversation.Set{draft("bob", "h", -3*time.Minute), draft("bob", "hel", -2*time.Minute), draft("bob", "h", -time.Minute)}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		w := two(t, 1)
		for _, i := range order {
			w.do(edits[i])
		}
		w.drafted("bob", "h")
		w.reload()
		w.repeat(edits[0], edits[1], edits[2])
		w.drafted("bob", "h")
	}
}

func TestAnEmptiedDraftIsNotRevivedByAnOlderEdit(t *testing.T) {
	w := two(t, 1)
	w.do(draft("bob", "hel", -3*time.Minute), draft("bob", "", -time.Minute))
	for range 2 {
		w.drafted("bob", "")
		w.repeat(draft("bob", "hell", -2*time.Minute))
		w.drafted("bob", "")
		w.reload()
	}
	w.do(draft("bob", "new", 0))
	w.drafted("bob", "new")
}

func TestAnEmptyDraftThatCameFirstIsKnownToBeNewer(t *testing.T) {
	w := two(t, 1)
	w.do(draft("bob", "", -time.Minute))
	w.repeat(draft("bob", "hel", -2*time.Minute))
	w.drafted("bob", "")
}

func TestAnEditInTheFutureIsCutToNow(t *testing.T) {
	w := two(t, 1)
	w.do(draft("bob", "ahead", 5*time.Hour))
	if at := w.view("bob").Membership.Draft.EditedAt; at != w.now {
		t.Fatalf("the draft was edited at %d, want %d", at, w.now)
	}
	w.advance(time.Second)
	w.do(&conversation.Set{User: "bob", Draft: &conversation.Draft{Text: []byte("now")}})
	w.drafted("bob", "now")
	if at := w.view("bob").Membership.Draft.EditedAt; at != w.now {
		t.Fatalf("the draft without a time was edited at %d, want %d", at, w.now)
	}
}

func TestDraftsAreShownInAViewAndToTheirOwnersOnly(t *testing.T) {
	w := two(t, 1)
	w.do(draft("bob", "secret", 0))
	w.drafted("bob", "secret")
	w.drafted("ann", "")
	w.do(draft("ann", "her own", 0))
	w.drafted("ann", "her own")
	w.drafted("bob", "secret")
	if m := w.view("").Membership; m != nil {
		t.Fatalf("a view for nobody in particular shows %+v", m)
	}
	if m := w.member("bob"); m.Draft != nil {
		t.Fatalf("the list of members shows bob's draft %q", m.Draft.Text)
	}
	w.do(draft("bob", "secret 2", 0), leave("ann")) // the state has it in memory
	if m := w.state.MembershipView("bob"); m == nil || m.Draft != nil {
		t.Fatalf("a reply shows %+v, want no draft", m)
	}
}
