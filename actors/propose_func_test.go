package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestProposeFuncAnswersEachProposalOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		const n = 100
		replies := make(chan *actors.Reply, n+1)
		for i := range uint64(n) {
			e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Tag: i + 1, Change: &conversation.Post{Seq: i + 1, Sender: "ann"}}, func(r *actors.Reply) { replies <- r })
		}
		synctest.Wait()
		for i := range uint64(n) {
			if r := <-replies; r.Err != nil || r.Tag != i+1 || r.LastSeq != i+1 || r.Ack != actors.AckCommitted {
				t.Errorf("answer %d: got %+v", i+1, r)
			}
		}
		if len(replies) != 0 {
			t.Errorf("%d answers too many", len(replies))
		}
	})
}

func TestProposeFuncAnswersARefusalBeforeItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		var got *actors.Reply
		e.ProposeFunc(&actors.Proposal{Conversation: "nameless", Tag: 7, Change: &conversation.Hold{}}, func(r *actors.Reply) { got = r })
		if got == nil || got.Tag != 7 || !errors.Is(got.Err, conversation.ErrInvalid) {
			t.Errorf("answer to a bad name: got %+v", got)
		}
	})
}
