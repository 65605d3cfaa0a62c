package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func (w *world) deadline() conversation.DeadlineSum {
	w.Helper()
	return w.policy.DeadlineSum(name, w.head())
}

func TestTheStepsOfADeadlineLeadToIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		span := func(label string) time.Duration {
			return time.Duration(rapid.SampledFrom([]int{0, 0, 1, 7, 60, 90, 600}).Draw(t, label)) * time.Minute
		}
		w.policy = conversation.Policy{
			ExpireAfter: span("after"), ExpireIdle: span("idle"), ExpireAge: span("age"), ExpireJitter: span("jitter"), KeepPinned: rapid.Bool().Draw(t, "keep pinned"),
		}
		w.do(say(1, "ann", "bob"))
		changed := w.now
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			w.advance(time.Duration(rapid.IntRange(0, 40*60).Draw(t, "seconds")) * time.Second)
			if w.now >= w.head().Deadline {
				return
			}
			last := w.head().LastSeq
			change := rapid.SampledFrom([]conversation.Change{
				say(last+1, "ann"), &conversation.Post{Seq: last + 1, Sender: "bob", Silent: true}, &conversation.Read{User: "bob", Seq: last}, &conversation.Hold{On: true},
				&conversation.Hold{}, &conversation.Set{User: "bob", Pin: new(uint64(1))}, &conversation.Set{User: "bob", Pin: new(uint64(0))},
			}).Draw(t, "change")
			if w.do(change).Changed {
				changed = w.now
			}
			h, d := w.head(), w.deadline()
			kept := h.Held || (w.policy.KeepPinned && h.Pins > 0)
			if d.Deadline != h.Deadline || kept != (d.Held || d.Pinned) {
				t.Fatalf("%+v of head %+v", d, h)
			}
			sum := persistence.Never
			for _, step := range d.Steps {
				if step.At != step.From.Add(step.After) || step.After == 0 {
					t.Fatalf("the step %+v does not sum up", step)
				}
				sum = min(sum, step.At)
				if step.AtLeast || (step.Rule == conversation.RetentionIdle && step.From != changed) {
					t.Fatalf("the last change is said to be at %d (or later: %v), was at %d", step.From, step.AtLeast, changed)
				}
			}
			switch {
			case sum.Add(d.Jitter) != d.Asked:
				t.Fatalf("%+v does not sum up", d)
			case d.Origin == conversation.OriginEarlier && h.Deadline == w.now && d.Asked < w.now: // cut by a mark of a member's own
			case kept && (h.Deadline != persistence.Never || d.Origin != conversation.OriginPolicy):
				t.Fatalf("kept, with the deadline %d: %+v", h.Deadline, d)
			case !kept && d.Origin == conversation.OriginPolicy && d.Asked != h.Deadline:
				t.Fatalf("the steps lead to %d, the deadline is %d", d.Asked, h.Deadline)
			case !kept && d.Origin == conversation.OriginCut && (h.Deadline != w.now || d.Asked >= w.now):
				t.Fatalf("said to be cut to the change's time, %d: %+v", w.now, d)
			case d.Origin != conversation.OriginPolicy && d.Origin != conversation.OriginCut:
				t.Fatalf("under one policy all the time: %+v of head %+v", d, h)
			}
		}
	})
}

func TestADeadlineSaysWhichRuleCameFirstAndWhatKeepsItsConversation(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireAfter: time.Hour, ExpireIdle: 2 * time.Hour, ExpireAge: 90 * time.Minute, KeepPinned: true}
	w.do(say(1, "ann", "bob"))
	hour := start.Add(time.Hour)
	after := conversation.DeadlineStep{Rule: conversation.RetentionAfter, From: start, After: time.Hour, At: hour}
	idle := conversation.DeadlineStep{Rule: conversation.RetentionIdle, From: start, After: 2 * time.Hour, At: start.Add(2 * time.Hour)}
	age := conversation.DeadlineStep{Rule: conversation.RetentionAge, From: start, After: 90 * time.Minute, At: start.Add(90 * time.Minute)}
	want := conversation.DeadlineSum{
		Deadline: hour, Origin: conversation.OriginPolicy, Steps: []conversation.DeadlineStep{after, idle, age}, First: conversation.RetentionAfter, Asked: hour,
	}
	if diff := cmp.Diff(want, w.deadline()); diff != "" {
		t.Errorf("after a post (-want +got):\n%s", diff)
	}
	w.do(&conversation.Set{User: "ann", Pin: new(uint64(1))})
	want.Deadline, want.Pinned = persistence.Never, true
	if diff := cmp.Diff(want, w.deadline()); diff != "" {
		t.Errorf("pinned (-want +got):\n%s", diff)
	}
	w.policy = conversation.Policy{ExpireIdle: time.Hour}
	w.advance(time.Minute)
	w.do(&conversation.Read{User: "bob", Seq: 1})
	if d := w.deadline(); d.First != conversation.RetentionIdle || d.Steps[0].AtLeast || d.Steps[0].From != w.now || d.Origin != conversation.OriginPolicy {
		t.Errorf("after a read, where idleness alone counts: %+v", d)
	}
	w.policy = conversation.Policy{ExpireAfter: time.Hour}
	w.advance(time.Minute)
	w.do(&conversation.Read{User: "bob", Seq: 1}, say(2, "ann"))
	w.policy = conversation.Policy{ExpireIdle: time.Hour}
	if d := w.deadline(); !d.Steps[0].AtLeast || d.Steps[0].From != w.now {
		t.Errorf("where idleness did not count at the last change: %+v, want that it was at %d or later", d, w.now)
	}
	w.policy = conversation.Policy{}
	if d := w.deadline(); d.Origin != conversation.OriginEarlier || len(d.Steps) > 0 || d.Asked != persistence.Never || d.Jitter != 0 {
		t.Errorf("under another policy than the one that it was set by: %+v", d)
	}
	w.do(&conversation.Hold{On: true})
	if d := w.deadline(); d.Origin != conversation.OriginPolicy || !d.Held || d.Deadline != persistence.Never {
		t.Errorf("held: %+v", d)
	}
	w.do(&conversation.Hold{})
	w.ifGeneration = uint64(w.head().Generation)
	w.do(&conversation.Delete{})
	if d := w.deadline(); d.Origin != conversation.OriginDeleted || d.Deadline != w.now {
		t.Errorf("deleted: %+v", d)
	}
}

func TestADeadlineThatHadGoneByIsSaidToBeCut(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann"), &conversation.Hold{On: true})
	w.advance(3 * time.Hour)
	w.do(&conversation.Hold{})
	if d := w.deadline(); d.Origin != conversation.OriginCut || d.Deadline != w.now || d.Asked != start.Add(time.Hour) {
		t.Errorf("released long after its retention had gone by: %+v", d)
	}
}

func TestADeadlineSaysThatSomebodyHasYetToRead(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireAfter: time.Hour, KeepUnread: true}
	w.do(say(1, "ann", "bob"))
	if d := w.deadline(); d.Deadline != persistence.Never || !d.Unread || d.Witness != "" || d.Origin != conversation.OriginPolicy || d.Asked != w.now.Add(time.Hour) {
		t.Errorf("got %+v; want that it is kept, and by nobody that is known", d)
	}
	w.policy.KeepUnread = false
	w.do(say(2, "ann"))
	if d := w.deadline(); d.Unread || d.Origin != conversation.OriginPolicy || d.Deadline != d.Asked {
		t.Errorf("got %+v; want that it is not kept", d)
	}
}
