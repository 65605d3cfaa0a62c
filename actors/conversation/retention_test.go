package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func TestAfterAnyChangeARetentionForIdlenessCountsAnew(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireIdle: time.Hour}
	w.do(say(1, "ann", "bob"))
	w.over(w.now.Add(time.Hour))
	for _, change := range []conversation.Change{
		&conversation.Read{User: "bob", Seq: 1}, &conversation.Set{User: "ann", Pin: new(uint64(1))}, &conversation.Amend{Seq: 1, Retracted: true},
		&conversation.Post{Seq: 2, Sender: "ann", Silent: true}, join("cid"),
	} {
		w.advance(30 * time.Minute)
		version := w.head().Version
		w.do(change)
		w.over(w.now.Add(time.Hour))
		if _, marks := conversation.Subject(change); marks && change.Kind() != "join" && w.head().Version != version {
			t.Errorf("%s moved the head's version", change.Kind())
		}
	}
	w.advance(30 * time.Minute)
	w.repeat(&conversation.Read{User: "bob", Seq: 1})
	w.over(w.now.Add(30 * time.Minute))
}

func TestAnAgeEndsAGenerationWhateverHappensInIt(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireAfter: 20 * time.Minute, ExpireAge: time.Hour}
	born := w.now
	for seq := range uint64(6) {
		w.do(say(seq+1, "ann"))
		w.over(min(w.now.Add(20*time.Minute), born.Add(time.Hour)))
		w.advance(10 * time.Minute)
	}
	w.do(say(7, "ann"))
	if born = w.head().Born; born != w.now {
		t.Fatalf("the next generation was born at %d, want %d", born, w.now)
	}
	w.over(born.Add(20 * time.Minute))
}

func TestAPinnedConversationIsKeptWhereThePolicySaysSo(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireAfter: time.Hour, KeepPinned: true}
	w.do(say(1, "ann", "bob", "cid"))
	for _, user := range []string{"ann", "bob"} {
		w.do(&conversation.Set{User: user, Pin: new(uint64(1))})
		w.over(persistence.Never)
	}
	w.advance(3 * time.Hour)
	w.do(&conversation.Set{User: "ann", Pin: new(uint64(0))})
	w.over(persistence.Never)
	w.do(&conversation.Leave{Users: []string{"bob"}})
	w.over(w.now) // nobody pins it any more, and its retention has gone by
	if verdict, _ := w.judge(); verdict != conversation.Over {
		t.Errorf("judged %v, want over", verdict)
	}
}

func TestAnotherPolicyAppliesFromTheNextChangeOn(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bob"))
	said := w.now
	w.over(said.Add(time.Hour))
	w.policy.ExpireAfter = 3 * time.Hour
	w.over(said.Add(time.Hour))
	w.do(&conversation.Read{User: "bob", Seq: 1})
	w.over(said.Add(3 * time.Hour))
	w.policy.ExpireAfter = 10 * time.Minute
	w.advance(5 * time.Minute)
	w.do(&conversation.Deliver{User: "bob", Seq: 2})
	w.over(said.Add(10 * time.Minute))
	w.due(said.Add(10 * time.Minute)) // the entry that was later is gone
	w.policy.ExpireAfter = time.Minute
	w.do(&conversation.Deliver{User: "bob", Seq: 3})
	w.over(w.now) // not before this change
}

func TestJitterSpreadsEqualDeadlinesAndDrawsThemOnce(t *testing.T) {
	deadlines := map[persistence.Instant]int{}
	for i := range 200 {
		name := fmt.Sprint("group:", i)
		state, err := conversation.Load(name, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var before persistence.Instant
		for seq := range uint64(3) {
			out, err := state.Apply(conversation.Input{
				Change: say(seq+1, "ann"), At: start, Policy: conversation.Policy{ExpireAfter: time.Hour, ExpireJitter: 10 * time.Minute},
				Next: func() persistence.Generation { return 7 },
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, write := range append(out.Writes, state.TakeDirty()...) {
				if persistence.KindOf(write.Key) != persistence.KindHead {
					continue
				}
				head, _, err := persistence.DecodeHead(write.Value)
				if err != nil {
					t.Fatal(err)
				}
				late := head.Deadline.Sub(start.Add(time.Hour))
				if late < 0 || late >= 10*time.Minute || (before != 0 && head.Deadline != before) {
					t.Errorf("%s: the deadline is %v later than the retention; it was %d, is %d", name, late, before, head.Deadline)
				}
				before = head.Deadline
			}
		}
		deadlines[before]++
	}
	if len(deadlines) < 150 {
		t.Errorf("200 conversations have %d deadlines", len(deadlines))
	}
}

func TestAPolicyMayAskForMembersWhereAGenerationBegins(t *testing.T) {
	w := newWorld(t)
	w.policy.RequireMembers = true
	w.refused(say(1, "ann"), conversation.ErrMembersRequired, "post.members")
	w.do(say(1, "ann", "bob"))
	w.do(say(2, "ann"))
	w.advance(2 * time.Hour)
	w.repeat(say(2, "ann"))
	w.refused(say(3, "ann"), conversation.ErrMembersRequired, "post.members")
	w.do(say(3, "ann", "bob"))
	w.advance(2 * time.Hour)
	w.do(join("ann"))
	w.do(say(4, "ann"))
}
