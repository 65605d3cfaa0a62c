package actors_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// atSnapshot stops whoever takes the n-th snapshot from the deadline on, until it is let go on: the survey, whoever judges, and the deletion take one each.
func atSnapshot(n int64) func(e *actorstest.Engine) (resume func()) {
	return func(e *actorstest.Engine) func() {
		release, taken := make(chan struct{}), atomic.Int64{}
		e.Store.SetFaults(persistencetest.Faults{Snapshot: func() error {
			if taken.Add(1) == n {
				<-release
			}
			return nil
		}})
		e.Advance(2 * time.Hour)
		return func() { close(release) }
	}
}

// deletes reports whether the batch ends a generation.
func deletes(b persistence.Batch) bool {
	return slices.ContainsFunc(b.Groups, func(g persistence.Group) bool { return len(g.Events) > 0 })
}

// hold goes on until the store was stopped at a point that set chooses.
func hold(e *actorstest.Engine, set func(f *persistencetest.Faults, stop func())) (resume func()) {
	release := make(chan struct{})
	var faults persistencetest.Faults
	var held atomic.Bool // several may write at a time
	set(&faults, func() {
		if held.CompareAndSwap(false, true) {
			<-release
		}
	})
	e.Store.SetFaults(faults)
	e.Advance(2 * time.Hour)
	return func() { close(release) }
}

func TestAPostAtAnyStepOfAnExpiryBeginsTheNextGenerationWhole(t *testing.T) {
	for _, active := range []bool{true, false} {
		for _, step := range steps {
			t.Run(fmt.Sprintf("%s, active %v", step.name, active), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					config := hourly()
					if !active {
						config.IdleAfter = time.Second
					}
					e := actorstest.Start(t, config)
					old := e.Post("group:42", "ann", 1, "bob", "cid")
					resume := step.reach(e)
					replies := make(chan actors.Reply, 1)
					go func() {
						r, _ := e.Propose(context.Background(), &actors.Proposal{
							Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann", Members: []string{"bob"}},
						})
						replies <- r
					}()
					synctest.Wait()
					resume()
					r := <-replies
					if r.Err != nil || r.Generation <= old.Generation || r.Version != 1 {
						t.Fatalf("the post: got %+v, want the first version of a generation above %d", r, old.Generation)
					}
					e.Advance(time.Minute)
					if v := e.View("group:42", "bob"); v == nil || v.LastSeq != 2 || v.Members != 2 || v.Membership == nil || v.Membership.Unread != 1 {
						t.Fatalf("the new generation: got %+v, want ann and bob, with 1 unread", v)
					}
					if v := e.View("group:42", "cid"); v == nil || v.Membership != nil {
						t.Fatalf("a member of the old generation is one of the new: %+v", v)
					}
					if got := e.Expired(); len(got) != 1 || got[0].Generation != old.Generation || got[0].LastSeq != 1 {
						t.Fatalf("expired: got %+v, want generation %d once", got, old.Generation)
					}
					e.Check()
					e.Crash()
					if v := e.View("group:42", "bob"); v == nil || v.Generation != r.Generation {
						t.Fatalf("after a crash: got %+v, want generation %d", v, r.Generation)
					}
					e.Advance(2 * time.Hour)
					if got := e.Expired(); len(got) != 2 || got[1].Generation != r.Generation {
						t.Fatalf("in the end: got %+v, want both generations once", got)
					}
				})
			})
		}
	}
}

func TestARebirthBeforeBetweenAndAfterThePartsOfADeletion(t *testing.T) {
	const members = 40 // in parts of 5
	for part := range 12 {
		t.Run(fmt.Sprintf("at commit %d", part), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := hourly()
				config.Reaper.BatchRows = 10
				e := actorstest.Start(t, config)
				users := make([]string, members)
				for i := range users {
					users[i] = fmt.Sprintf("user%02d", i)
				}
				old := e.Post("group:42", "ann", 1, users...)
				commits := 0
				release, held := make(chan struct{}), false
				e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
					if len(b.Groups) > 0 && b.Groups[0].Requires != nil {
						if commits++; commits > part && !held {
							held = true
							<-release
						}
					}
					return nil
				}})
				e.Advance(2 * time.Hour)
				reply := make(chan actors.Reply, 1)
				go func() {
					r, _ := e.Propose(context.Background(), &actors.Proposal{
						Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "zoe", Members: users[10:30]},
					})
					reply <- r
				}()
				synctest.Wait()
				if v := e.View("group:42", "user35"); v == nil || v.Membership != nil || v.Members != 21 {
					t.Fatalf("while the old generation is deleted: got %+v, want the new one, of which user35 is no member", v)
				}
				close(release)
				if r := <-reply; r.Err != nil || r.Generation <= old.Generation {
					t.Fatalf("the post: %+v", r)
				}
				e.Advance(time.Minute)
				if got := e.Expired(); len(got) != 1 || got[0].Generation != old.Generation {
					t.Fatalf("expired: got %+v, want generation %d once", got, old.Generation)
				}
				e.Check()
				page, err := e.Members(t.Context(), actors.MembersQuery{Conversation: "group:42"})
				if err != nil || len(page.Members) != 21 {
					t.Fatalf("members of the new generation: %d, %v; want 21", len(page.Members), err)
				}
			})
		})
	}
}

func TestACrashBetweenThePartsOfADeletionIsResumed(t *testing.T) {
	for part := range 8 {
		t.Run(fmt.Sprintf("at commit %d", part), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := hourly()
				config.Reaper.BatchRows = 10
				e := actorstest.Start(t, config)
				users := make([]string, 30)
				for i := range users {
					users[i] = fmt.Sprintf("user%02d", i)
				}
				e.Post("group:42", "ann", 7, users...)
				commits := 0
				never := make(chan struct{})
				t.Cleanup(func() { close(never) })
				e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
					if len(b.Groups) > 0 && b.Groups[0].Requires != nil {
						if commits++; commits > part {
							return context.Canceled
						}
					}
					return nil
				}})
				e.Advance(time.Hour + time.Second)
				if v := e.View("group:42", "user29"); v != nil {
					t.Fatalf("half deleted, it is shown: %+v", v)
				}
				e.Crash()
				if v := e.View("group:42", "user29"); v != nil {
					t.Fatalf("after the crash it is shown: %+v", v)
				}
				e.Advance(time.Second)
				got := e.Expired()
				if len(got) != 1 || got[0].LastSeq != 7 || len(got[0].Users) != 31 {
					t.Fatalf("expired: got %+v, want one generation with last seq 7 and all 31 users", got)
				}
			})
		})
	}
}
