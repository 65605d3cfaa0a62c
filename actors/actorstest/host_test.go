package actorstest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestAClientKeepsItsRepliesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.StartOn(t, nil, actorstest.NewHost(t), actors.Config{})
		c := e.NewClient()
		for seq := range uint64(100) {
			c.Request(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}, Tag: seq + 1})
		}
		replies := c.Replies()
		if len(replies) != 100 {
			t.Fatalf("%d replies to 100 proposals", len(replies))
		}
		for i, r := range replies {
			if r.Err != nil || r.Tag != uint64(i)+1 {
				t.Errorf("reply %d: %+v", i+1, r)
			}
		}
	})
}

func TestAClientSpeaksToTheEngineThatRunsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := actorstest.NewHost(t)
		e := actorstest.StartOn(t, nil, host, actors.Config{})
		c, first := e.NewClient(), e.PID()
		e.Crash()
		c.Request(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
		if r := c.Replies(); len(r) != 1 || r[0].Err != nil {
			t.Errorf("replies of the second engine: %+v", r)
		}
		host.Root.RequestWithCustomSender(first, &actors.Proposal{Conversation: "group:42", Change: &conversation.Hold{}}, c.PID())
		if r := c.Replies(); len(r) != 2 || !errors.Is(r[1].Err, actors.ErrStopped) {
			t.Errorf("replies of the first engine, which is gone: %+v", r)
		}
	})
}

func TestRepliesLetNoTimeGoBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.StartOn(t, nil, actorstest.NewHost(t), actors.Config{})
		e.BreakFor(time.Second, actorstest.WritesHang())
		c := e.NewClient()
		c.Request(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
		if r := c.Replies(); len(r) != 0 {
			t.Errorf("replies while the store hangs: %+v, want none", r)
		}
		e.Advance(time.Second)
		if r := c.Replies(); len(r) != 1 {
			t.Errorf("%d replies once it does not, want one", len(r))
		}
	})
}
