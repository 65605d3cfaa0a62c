package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func hourly() actors.Config {
	return actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}
}

func TestAConversationExpiresAnHourAfterItsLastPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(59 * time.Minute)
		e.Post("group:42", "ann", 2)
		e.Advance(time.Hour - time.Microsecond)
		if v := e.View("group:42", "bob"); v == nil || v.Membership.Unread != 2 {
			t.Fatalf("just before its deadline: got %+v, want bob with 2 unread", v)
		}
		if got := e.Expired(); len(got) != 0 {
			t.Fatalf("expired before its deadline: %+v", got)
		}
		e.Advance(time.Microsecond)
		if v := e.View("group:42", "bob"); v != nil {
			t.Fatalf("at its deadline it is still shown: %+v", v)
		}
		e.Advance(time.Second)
		got := e.Expired()
		if len(got) != 1 || got[0].LastSeq != 2 || got[0].Reason != persistence.ReasonExpired {
			t.Fatalf("expired: got %+v, want one generation with last seq 2", got)
		}
	})
}
