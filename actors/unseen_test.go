package actors_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func keepingUnread() actors.Config {
	return actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour, KeepUnread: true}, IdleAfter: time.Minute}
}

func TestAConversationWithSomethingUnreadIsKeptUntilItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, keepingUnread())
		var many []string
		for i := range 300 {
			many = append(many, fmt.Sprintf("user%03d", i))
		}
		e.Post("group:many", "ann", 1, many...)
		e.Post("group:read", "ann", 1)
		e.Advance(time.Hour + time.Second)
		if got := e.Expired(); len(got) != 1 || got[0].Conversation != "group:read" || got[0].Lateness > 100*time.Millisecond {
			t.Fatalf("an hour after the posts expired %+v, want group:read alone", got)
		}
		e.Restart()
		e.Advance(100 * time.Hour)
		if judged := e.Stats().Reaper.Judged; judged > 0 {
			t.Errorf("what somebody has unread was judged %d times in 100 hours, want none", judged)
		}
		last := len(many) - 1
		for i, user := range many {
			if v := e.View("group:many", user); v == nil || v.Membership.Unread != 1 || !v.ExpiresAt.IsZero() {
				t.Fatalf("%s, who has not read yet, is shown %+v", user, v)
			}
			e.Read("group:many", user, 1)
			if i == last {
				break
			}
			e.Advance(time.Second)
		}
		read := time.Now()
		e.Advance(time.Second)
		got := e.Expired()
		if len(got) != 2 || got[1].Conversation != "group:many" || got[1].At.Sub(read) > 100*time.Millisecond || len(got[1].Users) != 100 {
			t.Fatalf("once all had read, expired %+v", got)
		}
		// The one who is remembered to have something unread is looked for again only when they have read.
		if judged := e.Stats().Reaper.Judged; judged > uint64(len(many))+1 {
			t.Errorf("%d reads had it judged %d times", len(many), judged)
		}
	})
}

// Reads, posts and judgements at the same time, in an engine whose conversations leave memory at once: nobody who has something unread ever sees it gone, and what all have read goes.
func TestNoExpiryIsFalseWhileSomebodyHasSomethingUnreadAndNoneIsMissed(t *testing.T) {
	for seed := range 20 {
		synctest.Test(t, func(t *testing.T) {
			config := keepingUnread()
			config.MaxActive, config.IdleAfter = 1, 2*time.Millisecond
			e := actorstest.Start(t, config)
			e.Store.SetFaults(persistencetest.Faults{Latency: func(persistencetest.Op) time.Duration { return time.Duration(seed+1) * 100 * time.Microsecond }})
			users := []string{"bob", "cid", "dan"}
			e.Post("group:1", "ann", 1, users...)
			e.Advance(time.Hour - 5*time.Millisecond)
			var all sync.WaitGroup
			for i, user := range users {
				all.Go(func() {
					time.Sleep(time.Duration(seed*(i+1)) * 700 * time.Microsecond) // virtual: each user reads at a moment of their own
					r, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:1", Change: &conversation.Read{User: user, Seq: 1}})
					if err != nil || !r.Changed {
						t.Errorf("seed %d: %s had something unread, and their read was answered with %+v, %v", seed, user, r, err)
					}
				})
			}
			all.Wait()
			e.Advance(time.Second)
			if got := e.Expired(); len(got) != 1 {
				t.Fatalf("seed %d: all have read, and %d generations have expired", seed, len(got))
			}
			if v := e.View("group:1", "ann"); v != nil {
				t.Fatalf("seed %d: it is shown: %+v", seed, v)
			}
		})
	}
}

func TestAStoreThatCannotBeReadDelaysWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, keepingUnread())
		e.Post("group:1", "ann", 1, "bob")
		e.Read("group:1", "bob", 1)
		e.Advance(59 * time.Minute)
		e.Break(actorstest.ReadsFail(nil))
		e.Advance(2 * time.Minute)
		if got := e.Expired(); len(got) != 0 {
			t.Fatalf("expired, though nobody can know that all have read: %+v", got)
		}
		e.Heal()
		e.Advance(10 * time.Second)
		if got := e.Expired(); len(got) != 1 {
			t.Fatalf("once the store is well, %d generations have expired, want 1", len(got))
		}
	})
}

func TestATombstoneIsKeptAsLongAsItsNamespaceSays(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			config := actors.Config{
				EventsFor: 24 * time.Hour,
				Default:   conversation.Policy{ExpireAfter: time.Hour},
				Namespaces: map[string]conversation.Policy{
					"short": {ExpireAfter: time.Hour, TombstoneFor: 6 * time.Hour},
					"long":  {ExpireAfter: time.Hour, TombstoneFor: 72 * time.Hour},
					"same":  {ExpireAfter: time.Hour, TombstoneFor: 24 * time.Hour},
				},
			}
			e := actorstest.Start(t, config)
			forgotten := map[string]time.Duration{"short:1": 6 * time.Hour, "plain:1": 24 * time.Hour, "same:1": 24 * time.Hour, "long:1": 72 * time.Hour}
			for name := range forgotten {
				e.Post(name, "ann", 7)
			}
			e.Advance(time.Hour + time.Minute)
			if got := len(e.Expired()); got != len(forgotten) {
				t.Fatalf("%d generations have expired, want %d", got, len(forgotten))
			}
			if graves := kinds(t, e)[persistence.KindGrave]; graves != 2 {
				t.Errorf("%d tombstones have an entry of their own, want the 2 that are not kept as long as events", graves)
			}
			if restarted {
				e.Restart()
			}
			began := time.Now()
			for _, after := range []time.Duration{5 * time.Hour, 7 * time.Hour, 23 * time.Hour, 25 * time.Hour, 71 * time.Hour, 73 * time.Hour} {
				e.Advance(time.Until(began.Add(after)))
				want := 0
				for _, until := range forgotten {
					if after < until {
						want++
					}
				}
				events := len(forgotten)
				if after > 24*time.Hour {
					events = 0
				}
				got := kinds(t, e)
				if got[persistence.KindHead] != want || got[persistence.KindEvent] != events {
					t.Errorf("after %v there are %d tombstones and %d events, want %d and %d", after, got[persistence.KindHead], got[persistence.KindEvent], want, events)
				}
			}
			if left := kinds(t, e)[persistence.KindGrave]; left != 0 {
				t.Errorf("%d entries of tombstones are left", left)
			}
		})
	}
}

func TestATombstoneThatGoesLeavesALaterGenerationAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour, TombstoneFor: 3 * time.Hour}})
		e.Post("group:1", "ann", 7)
		e.Advance(2 * time.Hour)
		if r := e.Post("group:1", "ann", 7); r.Changed {
			t.Fatal("a late repeat revived it")
		}
		e.Post("group:1", "ann", 8)
		e.Advance(90 * time.Minute) // it has expired again
		e.Post("group:1", "ann", 9)
		e.Advance(50 * time.Minute)
		if v := e.View("group:1", "ann"); v == nil || v.LastSeq != 9 {
			t.Fatalf("once the first tombstone's time is over, it is shown as %+v", v)
		}
		e.Advance(time.Hour)
		if r := e.Post("group:1", "ann", 9); r.Changed {
			t.Fatal("a late repeat revived it, though its own tombstone is young")
		}
	})
}

// talk has one conversation in each of some shards.
func talk(e *actorstest.Engine, namespace string, n int) (names []string) {
	for i := range n {
		name := fmt.Sprintf("%s:%d", namespace, i)
		e.Post(name, "ann", 1, "bob")
		names = append(names, name)
	}
	return names
}

// under starts an engine with another config on the store of one that is stopped.
func under(t *testing.T, e *actorstest.Engine, config actors.Config) *actorstest.Engine {
	t.Helper()
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return actorstest.StartOn(t, e.Store, nil, config)
}

func apply(t *testing.T, e *actorstest.Engine, namespace string) actors.ApplyProgress {
	t.Helper()
	got, err := e.ApplyPolicies(t.Context(), namespace, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAppliedPoliciesHoldForConversationsThatNothingHappensIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		names := talk(e, "group", 40)
		talk(e, "dm", 10)
		e.Hold(names[0], true)
		e.Advance(10 * time.Hour)
		e = under(t, e, actors.Config{Default: conversation.Policy{ExpireAfter: 11 * time.Hour}})
		e.Advance(time.Minute)
		if v := e.View(names[1], ""); !v.ExpiresAt.IsZero() {
			t.Fatalf("before its policy was applied it is over at %v", v.ExpiresAt)
		}
		got := apply(t, e, "group")
		if want := (actors.ApplyProgress{Done: persistence.Shards, Looked: 40, Changed: 39}); got != want {
			t.Errorf("applied: %+v, want %+v", got, want)
		}
		if again := apply(t, e, "group"); again.Changed != 0 || again.Looked != 40 || again.Resumed {
			t.Errorf("applied again: %+v, want nothing changed", again)
		}
		e.Advance(time.Hour)
		if expired := len(e.Expired()); expired != 39 || e.View(names[0], "") == nil || e.View("dm:0", "") == nil {
			t.Errorf("%d expired, want the 39 of the namespace that are not held", expired)
		}
		if got := apply(t, e, ""); got.Changed != 10 {
			t.Errorf("applied to all: %+v, want the 10 of the other namespace changed", got)
		}
		e.Advance(time.Minute)
		if expired := len(e.Expired()); expired != 49 {
			t.Errorf("%d expired, want 49", expired)
		}
	})
}

func TestAnEarlierDeadlineTakesThePlaceOfALaterOneInOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{Default: conversation.Policy{ExpireAfter: 1000 * time.Hour}})
		talk(e, "group", 20)
		e.Advance(time.Hour)
		e = under(t, e, actors.Config{Default: conversation.Policy{ExpireAfter: 2 * time.Hour}})
		e.Store.SetFaults(persistencetest.Faults{AfterCommit: func(b persistence.Batch, _ []persistence.Result) error {
			for _, group := range b.Groups {
				put := slices.ContainsFunc(group.Puts, func(p persistence.Put) bool { return persistence.KindOf(p.Key) == persistence.KindDue })
				del := slices.ContainsFunc(group.Deletes, func(d persistence.Delete) bool { return persistence.KindOf(d.Key) == persistence.KindDue })
				if put && !del {
					t.Errorf("a due entry was written, and the old one is still there")
				}
			}
			return nil
		}})
		if got := apply(t, e, ""); got.Changed != 20 || e.Stats().Cells.Activations != 0 {
			t.Errorf("applied: %+v, with %d activations; want 20 changed without an actor", got, e.Stats().Cells.Activations)
		}
		if dues := kinds(t, e)[persistence.KindDue]; dues != 20 {
			t.Errorf("there are %d due entries, want 20", dues)
		}
		e.Advance(time.Hour + time.Minute)
		if expired := len(e.Expired()); expired != 20 {
			t.Errorf("%d expired, want 20", expired)
		}
	})
}

func TestAnApplicationThatWasCutShortIsGoneOnWith(t *testing.T) {
	for _, crash := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := actorstest.Start(t, actors.Config{})
			talk(e, "group", 600)
			e.Advance(time.Minute)
			config := actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}, Reaper: actors.ReaperConfig{MinRowsPerSecond: 400, MaxRowsPerSecond: 400}}
			e = under(t, e, config)
			ctx, cancel := context.WithCancel(t.Context())
			var reached actors.ApplyProgress
			_, err := e.ApplyPolicies(ctx, "", func(p actors.ApplyProgress) {
				if reached = p; p.Looked >= 300 {
					cancel()
				}
			})
			if err == nil || reached.Done == persistence.Shards || reached.Looked >= 600 {
				t.Fatalf("it was not cut short: %+v, %v", reached, err)
			}
			if crash {
				e.Crash()
			} else {
				e.Restart()
			}
			got := apply(t, e, "")
			if !got.Resumed || got.Looked != 600 || got.Changed != 600 {
				t.Errorf("gone on with: %+v, want all 600 looked at and changed, half of them before", got)
			}
			if again := apply(t, e, ""); again.Resumed || again.Changed != 0 {
				t.Errorf("after the last was done: %+v, want a new one that changes nothing", again)
			}
		})
	}
}

func TestAnApplicationUnderOtherPoliciesBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}})
		talk(e, "group", 300)
		e = under(t, e, actors.Config{Default: conversation.Policy{ExpireAfter: 2 * time.Hour}})
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := e.ApplyPolicies(ctx, "", func(p actors.ApplyProgress) {
			if p.Looked > 100 {
				cancel()
			}
		}); err == nil {
			t.Fatal("it was not cut short")
		}
		e = under(t, e, actors.Config{Default: conversation.Policy{ExpireAfter: 3 * time.Hour}})
		if got := apply(t, e, ""); got.Resumed || got.Looked != 300 || got.Changed != 300 {
			t.Errorf("under other policies: %+v, want all 300 anew", got)
		}
	})
}

func TestOnlyOneApplicationIsUnderWayAndABadNamespaceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		talk(e, "group", 3)
		tried := false
		if _, err := e.ApplyPolicies(t.Context(), "", func(actors.ApplyProgress) {
			if !tried {
				tried = true
				_, err := e.ApplyPolicies(t.Context(), "", nil)
				wantField(t, err, conversation.ErrConflict, "")
			}
		}); err != nil || !tried {
			t.Fatal(err, tried)
		}
		for _, namespace := range []string{"a:b", "\x00", "\xff"} {
			_, err := e.ApplyPolicies(t.Context(), namespace, nil)
			wantField(t, err, conversation.ErrInvalid, "namespace")
		}
	})
}

func TestAPreviewSaysWhatWillBeOverAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := actors.Config{FlushInterval: time.Hour, Namespaces: map[string]conversation.Policy{
			"dm":    {ExpireAfter: 10 * time.Hour},
			"flash": {ExpireAge: 2 * time.Hour},
			"kept":  {ExpireAfter: time.Hour, KeepUnread: true},
		}}
		e := actorstest.Start(t, config)
		names := talk(e, "dm", 30)
		talk(e, "flash", 5)
		talk(e, "kept", 2)
		talk(e, "never", 2)
		e.Advance(time.Hour - time.Minute)
		for _, name := range names[:10] { // their entries stay where they were
			e.Post(name, "ann", 2)
		}
		e.Hold(names[10], true)
		if _, err := e.Propose(t.Context(), &actors.Proposal{
			Conversation: "dm:late", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: actors.AckApplied,
		}); err != nil {
			t.Fatal(err) // it is in the journal alone
		}
		began := time.Now()
		preview := func(q actors.PreviewQuery, after time.Duration) actors.Preview {
			q.Until = began.Add(after)
			p, err := e.PreviewExpiry(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		tests := []struct {
			after         time.Duration
			conversations uint64
		}{{time.Hour, 0}, {2 * time.Hour, 5}, {9 * time.Hour, 5}, {9*time.Hour + 2*time.Minute, 24}, {10 * time.Hour, 35}}
		for _, test := range tests {
			if got := preview(actors.PreviewQuery{}, test.after); got.Conversations != test.conversations {
				t.Errorf("by %v: %d conversations, want %d", test.after, got.Conversations, test.conversations)
			}
		}
		got := preview(actors.PreviewQuery{Names: 6}, 10*time.Hour)
		if got.IfRead != 2 || got.Overdue != 0 || len(got.First) != 6 || got.First[0].Conversation != "flash:0" || got.First[5].Conversation != "dm:11" {
			t.Errorf("by ten hours: %+v", got)
		}
		var hours uint64
		for _, hour := range got.Hours {
			hours += hour.Conversations
		}
		if hours != 35 || got.Hours[0].Namespace != "flash" || got.Hours[0].Members != 10 {
			t.Errorf("hours: %+v", got.Hours)
		}
		if got := preview(actors.PreviewQuery{Namespace: "flash"}, 100*time.Hour); got.Conversations != 5 {
			t.Errorf("of one namespace: %+v", got)
		}
		for field, q := range map[string]actors.PreviewQuery{"until": {}, "names": {Until: began, Names: 1001}, "namespace": {Until: began, Namespace: "a:b"}} {
			_, err := e.PreviewExpiry(t.Context(), q)
			wantField(t, err, conversation.ErrInvalid, field)
		}
		// What is foretold comes true, and a store that nobody runs on foretells the same.
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		snapshot, err := e.Store.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		stored, err := actors.PreviewStored(t.Context(), snapshot, began, actors.PreviewQuery{Until: began.Add(10 * time.Hour)})
		snapshot.Close()
		if err != nil || stored.Conversations != 35 || stored.IfRead != 2 {
			t.Errorf("of the store: %+v, %v", stored, err)
		}
		e = actorstest.StartOn(t, e.Store, nil, config)
		e.Advance(10*time.Hour + time.Minute)
		if expired := len(e.Expired()); expired != 35 {
			t.Errorf("%d expired, 35 were foretold", expired)
		}
	})
}
