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
		replies := make(chan actors.Reply, n+1)
		for i := range uint64(n) {
			e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Tag: i + 1, Change: &conversation.Post{Seq: i + 1, Sender: "ann"}}, func(r *actors.Reply) { replies <- *r })
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
		var got actors.Reply
		e.ProposeFunc(&actors.Proposal{Conversation: "nameless", Tag: 7, Change: &conversation.Hold{}}, func(r *actors.Reply) { got = *r })
		if got.Tag != 7 || !errors.Is(got.Err, conversation.ErrInvalid) {
			t.Errorf("answer to a bad name: got %+v", got)
		}
	})
}

func TestProposeFuncWithoutAFuncIsTakenAsBySomebodyWhoDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := make(chan actors.UnansweredInfo, 1)
		e := actorstest.Start(t, actors.Config{Observer: &actors.Observer{Unanswered: func(i actors.UnansweredInfo) { refused <- i }}})
		e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}}, nil)
		e.ProposeFunc(&actors.Proposal{Conversation: "group:43", Change: &conversation.Hold{}}, nil)
		synctest.Wait()
		if view := e.View("group:42", "ann"); view.LastSeq != 1 {
			t.Errorf("the post was not applied: %+v", view)
		}
		if i := <-refused; i.Conversation != "group:43" || !errors.Is(i.Err, conversation.ErrNotFound) {
			t.Errorf("told %+v of what was refused", i)
		}
		if s := e.Stats(); s.Proposals.Received != 2 {
			t.Errorf("%d proposals were taken in, want 2", s.Proposals.Received)
		}
	})
}
