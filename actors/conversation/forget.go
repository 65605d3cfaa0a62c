package conversation

import (
	"github.com/parley-im/parley/persistence"
)

// Forget removes a user from the conversation's present generation: their membership and all that leads to it. What they sent stays, of an unknown sender. It is the
// engine's own change, which carries out an order to forget the user (persistence.Order), and no proposal. Nobody may refuse it: a held conversation forgets, too. It moves no
// deadline further away.
type Forget struct {
	User  string
	Order persistence.Instant // when that was given: memberships that outlived it are not meant
}

// Kind returns "forget".
func (*Forget) Kind() string { return "forget" }

func (f *Forget) check() error {
	if f == nil {
		return Invalid("forget", "must be set")
	}
	return Invalid("change", "is the engine's own: a user is forgotten by all conversations or by none")
}

func (f *Forget) touches(yield func(string)) { yield(f.User) }

// means reports whether an order to forget the user means a membership; a user without one is not meant.
func means(order persistence.Instant, m *persistence.Membership) bool {
	return m != nil && m.Outlived < order
}

// Forgotten returns what must be forgotten before a change that was proposed after some orders is applied: who is to be forgotten, and comes up in the change, is no
// member any more. order returns the order that a user is to be forgotten by, zero for none. Memberships that the change touches must be known: see [State.Missing].
func (s *State) Forgotten(change Change, now persistence.Instant, order func(user string) persistence.Instant) (forgets []*Forget) {
	if !s.alive(max(now, s.now)) {
		return nil
	}
	change.touches(func(user string) {
		if at := order(user); at != 0 && means(at, s.members.get(user)) {
			forgets = append(forgets, &Forget{User: user, Order: at})
		}
	})
	return forgets
}

// outlives returns the order to forget the user that a membership which begins now is not meant by; zero: there is none.
func (a *applier) outlives(user string) persistence.Instant {
	if a.in.Order == nil {
		return 0
	}
	return a.in.Order(user)
}

func (a *applier) forget(f *Forget) {
	m := a.members.get(f.User)
	if !means(f.Order, m) {
		return
	}
	a.touch(f.User)
	if !m.Left {
		a.head.Members--
		a.headChanged = true
		if m.Pin != 0 {
			a.head.Pins--
		}
	}
	if a.head.LastSender == f.User {
		a.head.LastSender = ""
		a.headChanged = true
	}
	a.undo.keepAllSenders(&a.tail)
	if a.tail.Forget(f.User) {
		a.tailChanged = true
	}
	a.members.set(f.User, nil)
	a.forgets = true
}

// removed writes that a user was forgotten, in place of their rows.
func (a *applier) removed(out *Outcome, user string) {
	a.cleanMember(user)
	out.Writes = append(out.Writes,
		Write{Key: persistence.MembershipKey(user, a.name), Delete: true, User: user},
		Write{Key: persistence.MemberKey(a.name, user), Delete: true, User: user},
		Write{
			Key:   persistence.RemovalKey(user, uint64(out.Stamp), a.name),
			Value: persistence.Removal{Generation: a.head.Generation, Reason: persistence.ReasonForgotten}.Encode(),
			User:  user,
		})
}
