package actors_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Whatever was committed before a crash, an order that was answered is carried out by the next start, and one that was not either or not at all.
func TestAnOrderSurvivesACrashBetweenAnyTwoCommits(t *testing.T) {
	for after := 0; ; after++ {
		ended := false
		t.Run(fmt.Sprintf("commits=%d", after), func(t *testing.T) {
			config := forgetting()
			config.Reaper.MinRowsPerSecond, config.Reaper.MaxRowsPerSecond = 500, 500 // so that each part is flushed by itself
			actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
				takePart(e)
				e.Advance(time.Minute)
				var commits atomic.Int64
				e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error {
					if commits.Add(1) > int64(after) {
						return context.Canceled
					}
					return nil
				}})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := e.ForgetUser(ctx, "bob")
				e.Advance(10 * time.Second)
				ended = err == nil && e.Stats().Forget.Done == 1
				e.Check()
				e.Crash()
				given := e.Stats().Forget.Users == 1
				if err == nil && !given && !ended {
					t.Fatal("the order was answered, and is lost")
				}
				if given {
					wantAbsent(t, e, "long:talks0", "short:reads1")
				}
				e.Advance(time.Minute)
				if given || ended {
					wantForgotten(t, e, "bob")
				} else if v := e.View("long:reads0", "bob"); v.Membership == nil || v.Membership.Draft == nil {
					t.Error("the order was not given, and bob is forgotten")
				}
			})
		})
		if ended {
			if after < 10 {
				t.Errorf("it took no more than %d commits", after)
			}
			return
		}
	}
}

func TestAnswersThatAreLostAndWritesThatFailOnlyDelayIt(t *testing.T) {
	for _, fault := range []actorstest.Fault{actorstest.AnswersAreLost(), actorstest.WritesFail(nil), actorstest.ReadsFail(nil)} {
		actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
			takePart(e)
			order(t, e, "bob")
			e.BreakFor(5*time.Second, fault)
			e.Advance(time.Minute)
			wantForgotten(t, e, "bob")
		})
	}
}

func TestAnEngineThatStopsInTheMiddleGoesOnWithTheNextStart(t *testing.T) {
	config := forgetting()
	config.Reaper.MinRowsPerSecond, config.Reaper.MaxRowsPerSecond = 10, 10
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		memberships := takePart(e)
		e.Advance(time.Second) // all of it is in the store
		order(t, e, "bob")
		for range 5 {
			e.Advance(3 * time.Second)
			e.Restart()
			wantAbsent(t, e, "long:talks0", "long:talks3")
			if remaining := order(t, e, "bob"); remaining == 0 || remaining >= uint64(memberships) {
				t.Fatalf("%d of %d remain in the middle", remaining, memberships)
			}
		}
		e.Advance(time.Hour)
		wantForgotten(t, e, "bob")
	})
}

func TestAConversationForgetsOnceThoughItLeavesMemoryBeforeThatIsWritten(t *testing.T) {
	config := forgetting()
	config.FlushInterval = time.Hour
	config.IdleAfter = time.Millisecond
	config.Reaper.BatchRows = 1_000
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Do("long:a", &conversation.Join{Users: []string{"ann", "bob", "cid"}})
		e.Crash()
		e.Break(actorstest.WritesTake(50 * time.Millisecond))
		order(t, e, "bob")
		// One flush after the other is under way, while bob joins and posts anew and the actor comes and goes.
		for seq := uint64(1); seq < 20; seq++ {
			r := e.Send(&actors.Proposal{Conversation: "long:a", Change: &conversation.Post{Seq: seq, Sender: "bob"}, Ack: actors.AckApplied})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if v := e.View("long:a", "bob"); v.Members != 3 || v.Membership == nil || v.Membership.ReadSeq != seq {
				t.Fatalf("after message %d there are %d members; bob is %+v", seq, v.Members, v.Membership)
			}
			if members := e.MembersOf("long:a"); len(members) != 3 {
				t.Fatalf("after message %d the members are %+v", seq, members)
			}
			e.Advance(7 * time.Millisecond)
		}
		e.Advance(time.Minute)
		if s := e.Stats().Forget; s.Forgotten != 1 || s.Users != 0 {
			t.Errorf("the one conversation forgot %d times: %+v", s.Forgotten, s)
		}
	})
}

func TestAConversationThatFailsToForgetIsAskedAgain(t *testing.T) {
	config := forgetting()
	var failures atomic.Int64
	config.BreakForgetting(func(name string) {
		if name == "long:talks1" && failures.Add(1) <= 8 {
			panic("it cannot")
		}
	})
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		takePart(e)
		order(t, e, "bob")
		e.Advance(time.Second)
		if remaining := order(t, e, "bob"); remaining != 1 {
			t.Errorf("%d remain, want the one that fails", remaining)
		}
		e.Advance(10 * time.Minute) // it was quarantined, and had another chance
		if failures.Load() <= 8 {
			t.Errorf("it was asked %d times", failures.Load())
		}
		wantForgotten(t, e, "bob")
	})
}
