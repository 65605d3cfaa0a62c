package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// talk makes some changes, one after the other, with little or no time between them.
func (f *fire) talk() {
	for range 1 + f.one("changes", 16) {
		name := f.name()
		switch n := f.one("kind", 20); {
		case n < 10:
			f.post(name)
		case n < 19:
			f.change(name)
		default:
			f.lastMoment(name)
		}
		if f.one("wait", 8) == 0 {
			f.Advance(f.upTo("for", 500*time.Millisecond))
		}
	}
}

func (f *fire) post(name string) {
	f.tally.add("post")
	seq := uint64(1)
	if kept := f.kept[name]; kept != nil {
		seq = kept.seq + 1
	} else if v := f.see(name); v != nil {
		seq = v.LastSeq + 1
	}
	seq += uint64(f.one("skipped", 2))
	ack := actors.AckCommitted
	if f.one("level", 3) == 0 {
		ack = actors.AckApplied
	}
	before, began := f.see(name), f.Now()
	r := f.propose(name, &conversation.Post{Seq: seq, Sender: f.user(), Members: []string{f.user(), f.user()}}, 0, ack)
	if r.Err != nil || r.LastSeq != seq || !r.Changed {
		return
	}
	f.begun(name, r.Generation)
	raised := !f.deaf // where it cannot be read what was before, nothing is known of that
	if before != nil {
		raised = before.LastSeq < seq // one that came late moves no deadline
	}
	if r.Ack == actors.AckCommitted && raised {
		if kept := f.kept[name]; kept != nil && kept.generation > r.Generation {
			f.t.Fatalf("%s: a post was acknowledged in generation %d, after %d", name, r.Generation, kept.generation)
		}
		if f.held[name] != r.Generation {
			delete(f.held, name) // a hold ends with its generation
		}
		f.kept[name] = &acknowledged{generation: r.Generation, seq: seq, touched: began, until: f.lasts(name, began)}
	}
}

// lasts is until when a conversation is not over that was last touched at a time, as far as that says it.
func (f *fire) lasts(name string, touched time.Time) time.Time {
	namespace := persistence.Namespace(name)
	if namespace == "age" {
		return time.Time{} // who came first is not known
	}
	return touched.Truncate(time.Microsecond).Add(f.retention[namespace][f.regime])
}

// begun requires that no generation begins twice, and that none begins before one that is gone.
func (f *fire) begun(name string, generation uint64) {
	if generation <= f.ended[name] {
		f.t.Fatalf("%s: generation %d is changed, but %d was deleted", name, generation, f.ended[name])
	}
	f.latest[name] = max(f.latest[name], generation)
}

func (f *fire) change(name string) {
	user := f.user()
	seq := 1 + uint64(f.one("seq", 20))
	changes := []conversation.Change{
		&conversation.Read{User: user, Seq: seq},
		&conversation.Leave{Users: []string{user}},
		&conversation.Join{Users: []string{user, f.user()}},
		&conversation.Clear{User: user, Seq: seq, Hide: true},
		&conversation.Post{Seq: max(1, f.last(name)), Sender: user, Members: []string{f.user()}}, // a repeat, or an old one
		&conversation.Amend{Seq: 1 + seq%5, Retracted: true},
		&conversation.MarkUnread{User: user},
		&conversation.Deliver{User: user, Seq: seq},
		&conversation.Set{User: user, Pin: new(seq % 2)},
		&conversation.Hold{On: true},
		&conversation.Hold{},
		&conversation.Delete{},
	}
	switch change := changes[f.one("change", len(changes))].(type) {
	case *conversation.Hold:
		f.hold(name, change)
	case *conversation.Delete:
		f.delete(name, change)
	default:
		f.touch(name, change)
	}
}

func (f *fire) last(name string) uint64 {
	if kept := f.kept[name]; kept != nil {
		return kept.seq
	}
	return 0
}

// touch moves the deadline where the policy goes by changes of any kind.
func (f *fire) touch(name string, change conversation.Change) {
	f.tally.add("touch")
	began := f.Now()
	r := f.propose(name, change, 0, actors.AckCommitted)
	kept := f.kept[name]
	if r.Err == nil && r.Changed {
		f.begun(name, r.Generation)
	}
	if r.Err == nil && r.Changed && r.Ack == actors.AckCommitted && kept != nil && kept.generation == r.Generation && persistence.Namespace(name) == "idle" {
		kept.touched, kept.until = began, f.lasts(name, began)
	}
}

func (f *fire) hold(name string, change *conversation.Hold) {
	f.tally.add("hold")
	if !change.On {
		delete(f.held, name) // from here on it may be over, whatever the answer is
	}
	r := f.propose(name, change, 0, actors.AckCommitted)
	if kept := f.kept[name]; r.Err == nil && change.On && r.Ack == actors.AckCommitted && kept != nil && kept.generation == r.Generation {
		f.held[name] = r.Generation
	}
}

func (f *fire) delete(name string, change *conversation.Delete) {
	f.tally.add("delete")
	kept := f.kept[name]
	if kept == nil {
		return
	}
	held := f.held[name] == kept.generation
	if !held {
		delete(f.kept, name) // from here on it may be gone, whatever the answer is
	}
	if r := f.propose(name, change, kept.generation, actors.AckDefault); held && r.Err == nil {
		f.t.Fatalf("%s: generation %d was deleted though it is held", name, kept.generation)
	}
}

// propose gives up after a while, as callers do.
func (f *fire) propose(name string, change conversation.Change, generation uint64, ack actors.Ack) actors.Reply {
	f.mention(change)
	ctx, cancel := withTimeout(f.t, time.Second)
	defer cancel()
	r, err := f.Propose(ctx, &actors.Proposal{Conversation: name, Change: change, IfGeneration: generation, Ack: ack})
	if err != nil && r.Err == nil {
		r.Err = err
	}
	return r
}

// mention remembers that whom a change names may be found again.
func (f *fire) mention(change conversation.Change) {
	if user, ok := conversation.Subject(change); ok {
		delete(f.forgotten, user)
	}
	var users []string
	switch c := change.(type) {
	case *conversation.Post:
		users = append(slices.Clip(c.Members), c.Sender)
	case *conversation.Join:
		users = c.Users
	case *conversation.Leave:
		users = c.Users
	}
	for _, user := range users {
		delete(f.forgotten, user)
	}
}

// lastMoment proposes just before a conversation is over, and has the machine suspended before the proposal is applied: it is applied before anything is judged.
func (f *fire) lastMoment(name string) {
	f.heal()
	f.tally.add("proposal in the last moment")
	f.Advance(time.Second) // what was under way when the store was healed is done
	v := f.see(name)
	if v == nil || v.ExpiresAt.IsZero() {
		return
	}
	left := v.ExpiresAt.Sub(f.Now())
	if left > time.Minute || left < 2*time.Millisecond {
		return
	}
	f.Advance(left - time.Millisecond)
	if v = f.see(name); v == nil || v.ExpiresAt.Sub(f.Now()) != time.Millisecond {
		return
	}
	f.mention(&conversation.Post{Sender: "ann"})
	f.Break(actorstest.ReadsTake(20 * time.Millisecond)) // so that one that is not in memory is brought there too late
	replies := make(chan actors.Reply, 1)
	go func() {
		r, err := f.Propose(context.Background(), &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: v.LastSeq + 1, Sender: "ann"}})
		r.Err = errors.Join(r.Err, err)
		replies <- r
	}()
	synctest.Wait()
	f.Suspend(f.upTo("suspended", 2*time.Second))
	f.Advance(40 * time.Second) // timers find out
	f.Heal()
	if r := <-replies; r.Err == nil && r.Generation != v.Generation {
		f.t.Fatalf("%s: a proposal to generation %d, 1 ms before it was over, was applied to generation %d", name, v.Generation, r.Generation)
	}
}
