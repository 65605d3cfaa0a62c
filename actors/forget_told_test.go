package actors_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestForgettingIsToldInParts(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		memberships := takePart(e)
		e.Advance(time.Second) // all of it is in the store
		order(t, e, "bob")
		e.Advance(time.Minute)
		told, rows, parts, last := 0, 0, 0, actors.ForgetInfo{}
		for _, i := range e.Forgets() {
			told, rows, parts, last = told+i.Conversations, rows+i.Rows, parts+1, i
		}
		begun := 0
		for _, note := range e.Notes() {
			if note.Kind == actorstest.KindForgetBegin {
				begun++
			}
		}
		if told != memberships || rows < 4*memberships || parts < memberships/2 || begun != parts {
			t.Errorf("%d conversations and %d rows were told of in %d parts, of which %d ended", told, rows, begun, parts)
		}
		if !last.Done || last.User != "bob" || last.Remaining != 0 || last.Err != nil {
			t.Errorf("at last it told %+v", last)
		}
	})
}

func TestOthersAreToldThatAMemberWasForgotten(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		e.Do("long:a", &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
		e.Advance(2 * time.Hour)
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		order(t, e, "bob")
		e.Advance(time.Minute)
		page, err = e.Sync(t.Context(), actors.SyncQuery{User: "ann", Cursor: page.Cursor})
		if err != nil || len(page.Changed) != 1 || page.Changed[0].Members != 1 || page.Changed[0].LastSender != "" {
			t.Errorf("ann's device is told %+v, %v; want that long:a has one member, and its last message is nobody's", page.Changed, err)
		}
	})
}
