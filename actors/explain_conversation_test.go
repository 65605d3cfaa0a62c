package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func explain(t *testing.T, e *actorstest.Engine, name, user string) *actors.ConversationExplanation {
	t.Helper()
	x, err := e.ExplainConversation(t.Context(), name, user)
	if err != nil {
		t.Fatalf("explain %s: %v", name, err)
	}
	return x
}

func wantLife(t *testing.T, e *actorstest.Engine, name string, want actors.Life) *actors.ConversationExplanation {
	t.Helper()
	x := explain(t, e, name, "")
	if x.Life != want {
		t.Errorf("%s is at stage %d of its life, want %d (reaper %+v)", name, x.Life, want, x.Reaper)
	}
	return x
}

func wantMemory(t *testing.T, e *actorstest.Engine, want actors.MemoryState) *actors.MemoryExplanation {
	t.Helper()
	m := explain(t, e, "group:42", "").Memory
	if m.State != want {
		t.Errorf("group:42 is in memory as %d, want %d: %+v", m.State, want, m)
	}
	return m
}

func TestAConversationIsExplainedWithoutBeingTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := actors.Config{
			Namespaces: map[string]conversation.Policy{"group": {ExpireAfter: 24 * time.Hour}}, Default: conversation.Policy{ExpireAge: time.Hour}, IdleAfter: time.Minute,
			MaxPackedBytes: -1,
		}
		e := actorstest.Start(t, config)
		began := time.Now()
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(30 * time.Minute)
		e.Post("group:42", "ann", 2)
		e.Advance(time.Millisecond) // it is durable, and now it is in the store
		wantMemory(t, e, actors.MemoryActive)
		active := explain(t, e, "group:42", "bob")
		e.Advance(time.Hour)
		stats := e.Stats()
		passive := explain(t, e, "group:42", "bob")
		if after := e.Stats(); after.Cells != stats.Cells || after.Cells.Active != 0 || after.Journal != stats.Journal {
			t.Errorf("an explanation changed %+v to %+v", stats, after)
		}
		wantMemory(t, e, actors.MemoryPassive)
		for when, x := range map[string]*actors.ConversationExplanation{"active": active, "passive": passive} {
			d := x.Due
			switch {
			case x.Life != actors.LifeAlive || x.Head.LastSeq != 2 || x.Head.Members != 2 || x.Tombstone != nil:
				t.Errorf("%s: life %d of %+v", when, x.Life, x.Head)
			case !x.Policy.Named || x.Policy.Namespace != "group" || x.Policy.ExpireAfter != 24*time.Hour:
				t.Errorf("%s: the policy is %+v", when, x.Policy)
			case !x.Deadline.Deadline.Time().Equal(began.Add(24*time.Hour+30*time.Minute)) || x.Deadline.First != conversation.RetentionAfter:
				t.Errorf("%s: the deadline is %+v", when, x.Deadline)
			case !d.Present || d.Pending || d.Early != 30*time.Minute || !d.At.Equal(began.Add(24*time.Hour)) || !d.LooksAt.Equal(d.At):
				t.Errorf("%s: the due entry is %+v", when, d)
			case x.User.Unread.Unread != 2 || !x.User.Unread.Exact() || !x.User.Listed || x.User.Pending || len(x.User.Entries) == 0:
				t.Errorf("%s: bob's is %+v", when, x.User)
			case x.Journal.Rows() != 0 || x.Journal.Batch != 0 || len(x.Reaper.Generations) != 0:
				t.Errorf("%s: the journal has %+v, the reaper %+v", when, x.Journal, x.Reaper)
			case !slices.Equal(x.Index.Roster, []string{"ann", "bob"}):
				t.Errorf("%s: the roster is %q", when, x.Index.Roster)
			}
			for _, entry := range x.User.Entries {
				if !entry.Present {
					t.Errorf("%s: bob's index has no %+v", when, entry)
				}
			}
		}
		if epoch, number := active.Epoch(active.Head.Generation); epoch != 1 || number != 1 {
			t.Errorf("generation %d is number %d of epoch %d, want the first of the first", active.Head.Generation, number, epoch)
		}
		e.Post("else:1", "ann", 1)
		if p := explain(t, e, "else:1", "").Policy; p.Named || p.ExpireAge != time.Hour {
			t.Errorf("the policy of a namespace without its own is %+v", p)
		}
	})
}

func TestEveryStageOfALifeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.EventsFor = 24 * time.Hour
		config.IdleAfter = time.Minute
		config.Reaper = actors.ReaperConfig{BatchDelay: 30 * time.Minute, MaxRowsPerSecond: -1}
		e := actorstest.Start(t, config)
		_, err := e.ExplainConversation(t.Context(), "group:42", "")
		if !errors.Is(err, conversation.ErrNotFound) {
			t.Errorf("what was never known: %v", err)
		}
		e.Post("group:42", "ann", 7, "bob")
		generation := wantLife(t, e, "group:42", actors.LifeAlive).Head.Generation
		e.Advance(0) // the look at all shards that each start begins with is over

		synctest.Wait() // until all shards were looked at, as they are at the start
		e.Store.SetFaults(persistencetest.Faults{Scan: func(persistence.Range, int) error { return actorstest.ErrBroken }})
		e.Advance(time.Hour)
		x := wantLife(t, e, "group:42", actors.LifeOver)
		if !errors.Is(x.Reaper.Err, actorstest.ErrBroken) || !x.Due.LooksAt.After(x.Now) || !x.Due.LooksFrom.Equal(x.Due.At) {
			t.Errorf("the reaper, which cannot read: %+v, and looks again: %+v", x.Reaper, x.Due)
		}

		e.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpGet {
				return 10 * time.Second
			}
			return 0
		}})
		e.Advance(2 * time.Second)
		wantLife(t, e, "group:42", actors.LifeJudging)
		e.Heal()
		e.Advance(time.Minute)
		x = wantLife(t, e, "group:42", actors.LifeQueued)
		want := []actors.ReapExplanation{{Generation: generation, Stage: actors.LifeQueued, Due: x.Due.At}}
		if diff := cmp.Diff(want, x.Reaper.Generations); diff != "" || x.Reaper.Waiting != 1 {
			t.Errorf("the reaper's queue of %d has (-want +got):\n%s", x.Reaper.Waiting, diff)
		}

		e.Break(actorstest.WritesHang())
		e.Advance(30 * time.Minute)
		wantLife(t, e, "group:42", actors.LifeDeleting)
		e.Break(actorstest.WritesFail(nil))
		e.Heal()
		e.Break(actorstest.WritesFail(nil))
		e.Advance(time.Minute)
		e.Heal()
		e.Advance(time.Minute)
		x = wantLife(t, e, "group:42", actors.LifeBuried)
		tombstone := x.Tombstone
		if x.Head != nil || tombstone.LastSeq != 7 || tombstone.Generation != generation || tombstone.Event == nil || tombstone.Event.Reason != persistence.ReasonExpired {
			t.Fatalf("what is left: %+v", tombstone)
		}
		if at := tombstone.Event.At.Time(); !tombstone.Until.Equal(at.Add(24*time.Hour)) || at.After(x.Now) {
			t.Errorf("the tombstone of %v is kept until %v, want a day", at, tombstone.Until)
		}
		e.Advance(tombstone.Until.Sub(x.Now) + time.Second)
		if _, err := e.ExplainConversation(t.Context(), "group:42", ""); !errors.Is(err, conversation.ErrNotFound) {
			t.Errorf("after its tombstone has gone: %v", err)
		}
	})
}

func TestAnEndThatWaitsForTheJournalSaysForWhichBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.FlushInterval = time.Hour
		e := actorstest.Start(t, config)
		r := e.Post("group:42", "ann", 1, "bob")
		e.Advance(time.Millisecond) // it is in the store
		e.Break(actorstest.WritesHang())
		deleted := e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Delete{}, IfGeneration: r.Generation, Ack: actors.AckApplied})
		if deleted.Err != nil {
			t.Fatal(deleted.Err)
		}
		e.Advance(time.Millisecond)
		x := wantLife(t, e, "group:42", actors.LifeFlushing)
		if g := x.Reaper.Generations; len(g) != 1 || g[0].After <= x.Journal.Flushed || g[0].After != x.Journal.Batch || !x.Journal.Writing {
			t.Errorf("it waits for %+v; the journal: %+v", g, x.Journal)
		}
		if x.Deadline.Origin != conversation.OriginDeleted || !x.Due.Pending || !x.Due.Present {
			t.Errorf("deleted: %+v, due %+v", x.Deadline, x.Due)
		}
		if j := x.Journal; j.HeadRows != 1 || j.DueRows != 2 || j.Age != time.Millisecond || j.Bytes == 0 {
			t.Errorf("the journal has %+v, want a head, and a due entry that is moved", j)
		}
		// The entry where it stood comes due as well, and is not the generation's own any more.
		e.Advance(time.Hour)
		x = wantLife(t, e, "group:42", actors.LifeFlushing)
		stages := map[actors.Life]int{}
		for _, g := range x.Reaper.Generations {
			stages[g.Stage]++
		}
		if diff := cmp.Diff(map[actors.Life]int{actors.LifeFlushing: 1, actors.LifeMoved: 1}, stages); diff != "" {
			t.Errorf("what the reaper has (-want +got):\n%s", diff)
		}
		e.Heal()
		e.Advance(time.Minute)
		wantLife(t, e, "group:42", actors.LifeBuried)
	})
}

func TestADeletionThatFailsSaysHowOftenAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:42", "ann", 1)
		e.Advance(time.Millisecond) // it is in the store
		e.Break(actorstest.WritesFail(nil))
		e.Advance(time.Hour + 30*time.Second)
		x := wantLife(t, e, "group:42", actors.LifeQueued)
		g := x.Reaper.Generations
		if len(g) != 1 || !g[0].Tried || g[0].Failures < 3 || x.Reaper.Failures < 3 || !errors.Is(x.Reaper.Err, actorstest.ErrBroken) || !x.Reaper.Resumes.After(x.Now) {
			t.Errorf("the reaper says %+v", x.Reaper)
		}
		e.Heal()
	})
}

func TestWhereAConversationIsInMemoryIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := false
		var config actors.Config
		config.IdleAfter, config.MaxPackedBytes = time.Minute, -1
		config.Break(func(*actors.Proposal) {
			if broken {
				panic("broken")
			}
		}, nil)
		e := actorstest.Start(t, config)
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(time.Hour)
		wantMemory(t, e, actors.MemoryPassive)

		// Its rows are read, with the membership of bob; what comes meanwhile waits.
		const slow = 10 * time.Second
		e.Break(actorstest.ReadsTake(slow))
		for seq := range uint64(3) {
			e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: "bob", Seq: seq + 1}}, func(*actors.Reply) {})
		}
		e.Advance(time.Second)
		if m := wantMemory(t, e, actors.MemoryActivating); m.Queued != 3 {
			t.Errorf("%d proposals wait, want 3", m.Queued)
		}
		e.Heal()
		e.Advance(2 * slow)
		e.Store.SetFaults(persistencetest.Faults{Latency: func(persistencetest.Op) time.Duration { return slow }})
		// Then it is active, and ann's membership is read.
		e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: "ann", Seq: 1}}, func(*actors.Reply) {})
		var parked bool
		for range 60 {
			e.Advance(time.Second)
			m := explain(t, e, "group:42", "").Memory
			if m.State == actors.MemoryWaiting && m.Queued == 1 {
				parked = true
				break
			}
		}
		if !parked {
			t.Error("it was never said to wait for memberships")
		}
		e.Heal()
		e.Advance(time.Minute)

		broken = true
		for range 5 {
			e.Do("group:42", &conversation.Hold{On: true})
			e.Do("group:new", &conversation.Post{Seq: 1, Sender: "ann"})
		}
		e.Advance(0)
		m := wantMemory(t, e, actors.MemoryQuarantined)
		if m.Reason == nil || !strings.Contains(m.Reason.Error(), "failed 5 times in a row: broken") || !m.Until.After(time.Now()) || m.Until.After(time.Now().Add(time.Minute)) {
			t.Errorf("quarantined until %v: %v", m.Until, m.Reason)
		}
		// One that cannot even begin is explained, too.
		x := wantLife(t, e, "group:new", actors.LifeNone)
		if x.Memory.State != actors.MemoryQuarantined || x.Head != nil || x.User != nil {
			t.Errorf("what cannot begin: %+v", x)
		}
		broken = false
		e.Advance(2 * time.Minute)
		wantMemory(t, e, actors.MemoryPassive)
	})
}

func TestAFailingConversationSaysHowOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var config actors.Config
		config.Break(func(p *actors.Proposal) {
			if post, ok := p.Change.(*conversation.Post); ok && post.Seq > 1 {
				panic("broken")
			}
		}, nil)
		e := actorstest.Start(t, config)
		e.Post("group:42", "ann", 1)
		for seq := range uint64(2) {
			e.Do("group:42", &conversation.Post{Seq: seq + 2, Sender: "ann"})
		}
		e.Advance(0)
		if m := explain(t, e, "group:42", "").Memory; m.Failures != 2 {
			t.Errorf("%+v, want two failures", m)
		}
	})
}

func TestRowsThatTheStoreWillNotHaveAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:1", "ann", 1)
		e.Advance(time.Millisecond) // it is in the store
		e.Break(actorstest.RowsAreRefused("group:1", nil))
		e.Send(&actors.Proposal{Conversation: "group:1", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: actors.AckApplied})
		e.Send(&actors.Proposal{Conversation: "group:2", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: actors.AckApplied})
		e.Advance(60 * time.Millisecond)
		if j := explain(t, e, "group:1", "ann").Journal; j.Rows() == 0 || j.Failed == 0 || !errors.Is(j.Err, actorstest.ErrBroken) {
			t.Errorf("while it is tried: %+v", j)
		}
		e.Advance(20 * time.Second)
		x := explain(t, e, "group:1", "ann")
		if x.Head.LastSeq != 1 || x.Journal.Rows() != 0 || x.Memory.State != actors.MemoryQuarantined || !errors.Is(x.Memory.Reason, conversation.ErrQuarantined) {
			t.Errorf("after its rows were dropped: last %d, journal %+v, memory %+v", x.Head.LastSeq, x.Journal, x.Memory)
		}
		e.Heal()
	})
}

func TestTheLatestChangesAreToldAsFarAsTheyAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{WatchBuffer: 40})
		e.Post("group:42", "ann", 1, "bob")
		if c := explain(t, e, "group:42", "").Changes; c.Recording || len(c.Changes) > 0 || !c.Since.IsZero() {
			t.Errorf("while nobody watches: %+v", c)
		}
		watch, err := e.Watch(t.Context(), actors.WatchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		e.Advance(time.Second)
		began := time.Now()
		e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: "bob", Seq: 1}, Origin: "phone"})
		e.Post("group:1", "ann", 1)
		e.Advance(time.Second)
		e.Post("group:42", "ann", 2)
		e.Advance(time.Millisecond) // watchers are told of what is in the store
		c := explain(t, e, "group:42", "").Changes
		if !c.Recording || !c.Since.Equal(began) || len(c.Changes) != 2 {
			t.Fatalf("%+v, want two changes since %v", c, began)
		}
		want := actors.Changed{Version: c.Changes[1].Version, LastSeq: 1, Kinds: []string{"read"}, Users: []string{"bob"}, Origin: "phone"}
		if diff := cmp.Diff(want, c.Changes[1].Changed); diff != "" || c.Changes[0].Kinds[0] != "post" || c.Changes[0].LastSeq != 2 || !c.Changes[0].At.After(c.Changes[1].At) {
			t.Errorf("the latest is %+v; the one before (-want +got):\n%s", c.Changes[0], diff)
		}
		for seq := range uint64(actors.MaxRecentChanges + 4) {
			e.Post("group:42", "ann", seq+3)
			e.Advance(time.Millisecond)
		}
		c = explain(t, e, "group:42", "").Changes
		if len(c.Changes) != actors.MaxRecentChanges || c.Changes[0].LastSeq != actors.MaxRecentChanges+6 {
			t.Errorf("%d changes, the first of %d", len(c.Changes), c.Changes[0].LastSeq)
		}
		e.Advance(time.Second)
		for i := range 40 {
			e.Post(fmt.Sprintf("group:o%d", i), "ann", 1)
		}
		e.Advance(time.Millisecond)
		if c = explain(t, e, "group:42", "").Changes; len(c.Changes) > 0 || !c.Since.After(began) {
			t.Errorf("after many others' changes: %+v", c)
		}
	})
}

func TestAUsersPartIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		first := e.Post("group:42", "ann", 1, "bob", "cid").Generation
		until := time.Now().Add(time.Hour)
		e.Set("group:42", conversation.Set{User: "bob", Pin: new(uint64(3)), MutedUntil: &until, Hide: new(persistence.HideAlways)})
		u := explain(t, e, "group:42", "bob").User
		if !u.Muted || u.Hide != persistence.HideAlways || !u.Listed || u.Membership.Pin != 3 {
			t.Errorf("bob, who pinned, muted and hid: %+v", u)
		}
		kinds := ""
		for _, entry := range u.Entries {
			if kinds += string(entry.Kind); !entry.Present {
				t.Errorf("bob's index has no %+v", entry)
			}
		}
		if !strings.Contains(kinds, "p") || !strings.Contains(kinds, "a") {
			t.Errorf("bob's index has the kinds %q, want one of what is pinned and one of what is active", kinds)
		}
		e.Do("group:42", &conversation.Leave{Users: []string{"cid"}, Keep: true})
		if u = explain(t, e, "group:42", "cid").User; !u.Membership.Left || !u.Membership.Keep || !u.Listed || u.Unread.Last != 1 {
			t.Errorf("cid, who left and kept it: %+v", u)
		}
		if u = explain(t, e, "group:42", "eve").User; u.Membership != nil || u.Stale != 0 || u.Listed {
			t.Errorf("eve, who is no member: %+v", u)
		}
		e.Break(actorstest.WritesFail(nil)) // so that nothing is deleted
		e.Advance(2 * time.Hour)
		e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: actors.AckApplied})
		x := explain(t, e, "group:42", "bob")
		if x.User.Membership != nil || uint64(x.User.Stale) != first || x.Head.Floor != 1 || x.Life != actors.LifeAlive {
			t.Errorf("bob, who was in the generation before: %+v of a head %+v", x.User, x.Head)
		}
		if g := x.Reaper.Generations; len(g) != 1 || uint64(g[0].Generation) != first {
			t.Errorf("the reaper has %+v, want the generation before", g)
		}
		e.Heal()
	})
}

func TestAnExplanationIsRefusedLikeAnyQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		_, err := e.ExplainConversation(t.Context(), "nonamespace", "")
		wantField(t, err, conversation.ErrInvalid, "conversation")
		_, err = e.ExplainConversation(t.Context(), "group:42", "a\x00")
		wantField(t, err, conversation.ErrInvalid, "user")
		e.Post("group:42", "ann", 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e.Break(actorstest.ReadsFail(nil))
		if _, err = e.ExplainConversation(t.Context(), "group:42", ""); !errors.Is(err, conversation.ErrUnavailable) || !errors.Is(err, actorstest.ErrBroken) {
			t.Errorf("where the store cannot be read: %v", err)
		}
		e.Heal()
		if _, err = e.ExplainConversation(ctx, "group:42", ""); !errors.Is(err, conversation.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("where the caller has gone: %v", err)
		}
		engine := e.Engine
		e.Restart()
		if _, err = engine.ExplainConversation(t.Context(), "group:42", ""); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("where the engine has stopped: %v", err)
		}
	})
}
