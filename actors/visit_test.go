package actors_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAConversationGetsAnActorOnceItIsOfUseOften(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Advance(0) // the shards have begun: what comes before is not counted
		for seq := range uint64(3) {
			e.Do("group:42", unattended(seq+1, "bob"))
			e.Advance(0) // it is answered before it is packed
			if c := e.Stats().Cells; c.Active != 0 || c.Packed != 1 || c.Visits != seq+1 || c.Unpacked != seq || c.Known != 0 {
				t.Fatalf("after %d posts: %+v, want it packed and nothing else in memory", seq+1, c)
			}
		}
		e.Do("group:42", unattended(4))
		e.Advance(0)
		if c := e.Stats().Cells; c.Active != 1 || c.Activations != 1 {
			t.Errorf("after four posts: %+v, want it active", c)
		}
		if v := e.View("group:42", "bob"); v == nil || v.LastSeq != 4 || v.Membership.Unread != 4 {
			t.Errorf("it is %+v", v)
		}
	})
}

// unattended is a post that is not added where its conversation lies packed.
func unattended(seq uint64, members ...string) *conversation.Post {
	return &conversation.Post{Seq: seq, Sender: "ann", Unattended: true, Members: members}
}

func TestAScanMakesNobodyActive(t *testing.T) {
	const bound = 16 * persistence.Shards
	known := 10 * bound
	if racing.Enabled {
		known = 3 * bound
	}
	actorstest.Run(t, actors.Config{MaxActive: bound}, func(t *testing.T, e *actorstest.Engine) {
		for seq := range uint64(5) {
			for i := range bound / 4 {
				e.Do(fmt.Sprint("hot:", i), unattended(seq+1))
			}
		}
		before := e.Stats().Cells
		for i := range known {
			e.Post(fmt.Sprint("scan:", i), "ann", 1)
		}
		c := e.Stats().Cells
		if before.Active < bound/4*9/10 || c.Activations-before.Activations > uint64(known/50) || c.Evictions != 0 || c.Active < before.Active {
			t.Errorf("a scan of %d made of %+v this: %+v", known, before, c)
		}
	})
}

func TestMembershipsThatAVisitLacksAreRead(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob", "cid")
		e.Restart()
		e.Post("group:42", "ann", 2) // the membership of ann is known to it now, and no other
		var replies []actors.Reply
		for _, user := range []string{"ann", "bob", "cid"} {
			e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: user, Seq: 1}}, func(r *actors.Reply) { replies = append(replies, *r) })
		}
		e.Advance(0)
		if c := e.Stats().Cells; c.Activations != 0 || len(replies) != 3 {
			t.Fatalf("%+v, and %d replies, want no activation and three", c, len(replies))
		}
		for i, r := range replies {
			if r.Err != nil || (i > 0 && (!r.Changed || r.Membership.Unread != 1)) {
				t.Errorf("reply %d: %+v", i, r)
			}
		}
	})
}

func TestMembershipsThatCannotBeReadRefuseOnlyWhoNeedsThem(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		e.Restart()
		e.Post("group:42", "ann", 2)
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if bytes.Equal(key, persistence.MembershipKey("bob", "group:42")) {
				return context.DeadlineExceeded
			}
			return nil
		}})
		r := e.Do("group:42", &conversation.Read{User: "bob", Seq: 1})
		wantField(t, r.Err, conversation.ErrUnavailable, "")
		e.Post("group:42", "ann", 3)
		e.Heal()
		if r := e.Do("group:42", &conversation.Read{User: "bob", Seq: 2}); r.Err != nil || r.Membership.Unread != 1 {
			t.Errorf("once it can be read: %+v", r)
		}
	})
}

func TestAConversationThatFailsWithoutAnActorIsQuarantinedAsWithOne(t *testing.T) {
	config := failing(2, 3, 4)
	config.MaxFailures = 3
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1, "bob")
		for seq := uint64(2); seq <= 4; seq++ {
			r := e.Do("group:42", &conversation.Post{Seq: seq, Sender: "ann"})
			wantField(t, r.Err, conversation.ErrUnavailable, "")
		}
		synctest.Wait() // it is refused before the failure is told
		if got := e.Failed(); len(got) != 3 || got[2].Failures != 3 || got[2].Quarantined.IsZero() || got[0].Quarantined != got[1].Quarantined {
			t.Fatalf("failures: %+v", got)
		}
		if r := e.Do("group:42", &conversation.Post{Seq: 5, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrQuarantined) {
			t.Errorf("after three failures: %+v", r)
		}
		if c := e.Stats().Cells; c.Quarantined != 1 || c.Failures != 3 || c.Visits == 0 {
			t.Errorf("%+v", c)
		}
		if v := e.View("group:42", "bob"); v == nil || v.LastSeq != 1 || v.Membership.Unread != 1 {
			t.Errorf("it is %+v", v)
		}
	})
}

// A failure between two changes takes back neither of them, wherever their rows are.
func TestAFailureOfAVisitTakesNothingBack(t *testing.T) {
	actorstest.Run(t, failing(2, 4), func(t *testing.T, e *actorstest.Engine) {
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return errors.New("not now") }})
		answered := map[uint64]error{}
		for seq := range uint64(5) {
			e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Ack: actors.AckApplied, Tag: seq + 1, Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}},
				func(r *actors.Reply) { answered[r.Tag] = r.Err })
		}
		e.Advance(0)
		for seq := range uint64(5) {
			if err, ok := answered[seq+1]; !ok || (err != nil) != (seq%2 == 1) {
				t.Errorf("post %d: answered: %v, %v", seq+1, ok, err)
			}
		}
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 5 || v.Version != 3 {
			t.Errorf("it is %+v, want three posts, the last of them the fifth", v)
		}
		e.Heal()
		e.Restart()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 5 || v.Version != 3 {
			t.Errorf("after a restart it is %+v", v)
		}
	})
}
