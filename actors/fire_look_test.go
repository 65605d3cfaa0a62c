package actors_test

import (
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// see returns what is shown of a conversation to nobody in particular; nil: nothing, or it cannot be read just now.
func (f *fire) see(name string) *conversation.View { return f.seeAs(name, "") }

func (f *fire) seeAs(name, user string) *conversation.View {
	v, err := f.Get(context.Background(), name, user)
	switch {
	case err == nil:
		return &v
	case errors.Is(err, conversation.ErrNotFound), f.deaf && errors.Is(err, conversation.ErrUnavailable):
	default:
		f.t.Fatalf("get %s: %v", name, err)
	}
	return nil
}

// look requires, after each step, that readers see what was acknowledged, and nothing that is gone; and that memory is bounded.
func (f *fire) look() {
	f.expired()
	for i := range fireNames {
		name := fireName(i)
		now := f.Now()
		v := f.see(name)
		if v != nil {
			f.lookAt(name, v, now)
		}
		kept := f.kept[name]
		if kept == nil || (f.deaf && v == nil) {
			continue
		}
		held := f.held[name] == kept.generation
		if f.Now().Before(kept.until) || held {
			if v == nil || v.Generation != kept.generation || v.LastSeq < kept.seq {
				f.t.Fatalf("%s: got %+v, but generation %d, seq %d was acknowledged as committed, and is not over before %v (held: %v); it is %v",
					name, v, kept.generation, kept.seq, kept.until, held, f.Now())
			}
		}
	}
	if r := f.Stats().Reaper; r.Pending > firePending {
		f.t.Fatalf("%d generations are held in memory, want at most %d", r.Pending, firePending)
	}
}

func (f *fire) lookAt(name string, v *conversation.View, now time.Time) {
	if v.Generation <= f.ended[name] {
		f.t.Fatalf("%s: generation %d is shown, but %d was deleted", name, v.Generation, f.ended[name])
	}
	if anns := f.seeAs(name, "ann"); anns != nil && anns.Membership != nil && anns.Membership.Unread > anns.LastSeq {
		f.t.Errorf("%s: ann has %d unread of %d", name, anns.Membership.Unread, anns.LastSeq)
	}
	if !v.ExpiresAt.IsZero() && !now.Before(v.ExpiresAt) {
		f.t.Errorf("%s is shown at %v, though it was over at %v", name, now, v.ExpiresAt)
	}
}

// expired takes in what was deleted since it was called last.
func (f *fire) expired() {
	all := f.Expired()
	for _, info := range all[f.told:] {
		if info.At.Before(info.Deadline) {
			f.t.Errorf("deleted before its deadline: %+v", info)
		}
		if kept := f.kept[info.Conversation]; kept != nil && kept.generation == info.Generation {
			if info.LastSeq < kept.seq || info.Deadline.Before(kept.until) || f.held[info.Conversation] == info.Generation {
				f.t.Errorf("deleted: %+v, but seq %d was acknowledged, and it is not over before %v (held: %d)", info, kept.seq, kept.until, f.held[info.Conversation])
			}
			delete(f.kept, info.Conversation)
		}
		f.ended[info.Conversation] = max(f.ended[info.Conversation], info.Generation)
	}
	f.told = len(all)
}

// settle heals the store and waits until everything was tried again. The store agrees with itself then: its index and its generations, its members and their rows. Nothing overdue is
// left, nothing lives for ever, and who was forgotten is.
func (f *fire) settle() {
	f.tally.add("settle")
	f.heal()
	f.Advance(allIsTried)
	f.look()
	f.Check()
	now := persistence.InstantOf(f.Now())
	const late = 5 * time.Second
	for key, value := range stored(f.t, f.Store) {
		if kind := persistence.KindOf([]byte(key)); kind == persistence.KindDue {
			name, deadline, generation, err := persistence.ParseDueKey([]byte(key))
			if err != nil || deadline.Add(late) < now {
				f.t.Errorf("generation %d of %s was due at %v, and still is at %v: %v", generation, name, deadline.Time(), now.Time(), err)
			}
		} else if kind == persistence.KindHead {
			f.mortal(key, value, now)
		}
	}
	if s := f.Stats().Forget; s.Users != 0 {
		f.t.Errorf("still being forgotten: %+v", s)
	}
	for user := range f.forgotten {
		if traces := tracesOf(f.t, f.Engine, user); len(traces) > 0 {
			f.t.Errorf("%d rows name %s, who was forgotten, such as %q", len(traces), user, traces[0])
		}
	}
}

// mortal requires that a conversation ends in its time unless something keeps it.
func (f *fire) mortal(key string, value []byte, now persistence.Instant) {
	head, _, err := persistence.DecodeHead(value)
	if err != nil {
		f.t.Errorf("%q: %v", key, err)
		return
	}
	switch {
	case head == nil: // a tombstone
	case head.Deadline == persistence.Never:
		if !head.Held && head.Pins == 0 {
			f.t.Errorf("%q never ends, and nothing keeps it: %+v", key, head)
		}
	case head.Deadline > now.Add(longestRetention):
		f.t.Errorf("%q ends at %v only, it is %v: %+v", key, head.Deadline.Time(), now.Time(), head)
	}
}
