package conversation_test

import (
	"errors"
	"testing"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func TestWithoutItsTailAConversationCountsAsNumbered(t *testing.T) {
	w := two(t, 4)
	w.do(&conversation.Post{Seq: 5, Sender: "ann", Silent: true})
	delete(w.rows, tailKey)
	w.reload()
	w.do(&conversation.Read{User: "bob", Seq: 1})
	w.unread("bob", 4)
	w.do(&conversation.Post{Seq: 6, Sender: "ann", Silent: true})
	w.unread("bob", 4)
	w.check()
}

func TestMalformedRowsAreReported(t *testing.T) {
	w := two(t, 1)
	good, bad := w.rows, []byte{1, 2, 3}
	membership := good[membershipKey("bob")]
	for what, load := range map[string]func() error{
		"a head": func() error {
			_, err := conversation.Load(name, bad, good[tailKey], nil)
			return err
		},
		"a tail": func() error {
			_, err := conversation.Load(name, good[headKey], bad, nil)
			return err
		},
		"a roster": func() error {
			_, err := conversation.Load(name, good[headKey], good[tailKey], bad)
			return err
		},
		"a membership": func() error {
			w.reload()
			return w.state.Learn("bob", bad)
		},
		"a reader's head": func() error {
			_, _, err := conversation.Decode(bad, good[tailKey], membership, w.now)
			return err
		},
		"a reader's tail": func() error {
			_, _, err := conversation.Decode(good[headKey], bad, membership, w.now)
			return err
		},
		"a reader's membership": func() error {
			_, _, err := conversation.Decode(good[headKey], good[tailKey], bad, w.now)
			return err
		},
	} {
		if err := load(); !errors.Is(err, persistence.ErrValue) {
			t.Errorf("%s: got error %v, want ErrValue", what, err)
		}
	}
}
