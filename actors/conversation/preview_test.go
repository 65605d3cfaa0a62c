package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

// previewed requires that the user is shown the sender and the preview of the last message, or nothing of it where the preview is "".
func (w *world) previewed(user, preview string) {
	w.Helper()
	sender := "ann"
	if preview == "" {
		sender = ""
	}
	if v := w.view(user); string(v.Preview) != preview || v.LastSender != sender {
		w.Fatalf("%q is shown %q from %q, want %q from %q", user, v.Preview, v.LastSender, preview, sender)
	}
}

func secret(seq uint64) *conversation.Post {
	return &conversation.Post{Seq: seq, Sender: "ann", Preview: []byte("secret")}
}

func TestThePreviewIsShownToThoseWhoMaySeeTheMessage(t *testing.T) {
	w := two(t, 1)
	w.do(secret(2))
	w.previewed("ann", "secret")
	w.previewed("bob", "secret")
	w.previewed("", "secret")
	w.previewed("mallory", "")
}

func TestANewMemberIsNotShownThePreviewOfAMessageFromBefore(t *testing.T) {
	w := two(t, 1)
	w.do(secret(2), &conversation.Join{Users: []string{"carl"}})
	w.previewed("carl", "")
	w.do(&conversation.Join{Users: []string{"dora"}, VisibleFrom: 2})
	w.previewed("dora", "secret")
}

func TestAClearedMessageIsNotPreviewed(t *testing.T) {
	w := two(t, 1)
	w.do(secret(2), &conversation.Clear{User: "bob", Seq: 2})
	w.previewed("bob", "")
	w.previewed("ann", "secret")
}

func TestWhoLeftIsNotShownThePreviewOfALaterMessage(t *testing.T) {
	w := two(t, 1)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, secret(2))
	w.previewed("bob", "")
	w.do(&conversation.Join{Users: []string{"bob"}})
	w.previewed("bob", "")
}

func TestAMessageThatWasOvertakenDoesNotBecomeThePreview(t *testing.T) {
	w := two(t, 1)
	w.do(secret(3), &conversation.Post{Seq: 2, Sender: "bob", Preview: []byte("older")})
	w.previewed("bob", "secret")
}

func TestThePreviewOfASilentMessageIsShown(t *testing.T) {
	w := two(t, 1)
	w.do(&conversation.Post{Seq: 2, Sender: "ann", Preview: []byte("edited the title"), Silent: true})
	w.previewed("bob", "edited the title")
}
