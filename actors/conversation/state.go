package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// maxResident is how many memberships a State keeps from one change to the next. It is above what any one change touches.
const maxResident = 4096

// State is a conversation in memory: its head and tail, and those memberships that changes have asked for. It belongs to one goroutine at a time.
//
// A change is applied in place, and what it changed in rows that are there already is encoded only when [State.TakeDirty] is asked for it. Where it panics, the State is as it was.
type State struct {
	name string
	head persistence.Head // of the latest generation, alive or over: where present is set
	// floor is what older generations had reached, as far as that is still known: from the tombstone, or from the head that came after them.
	floor persistence.Tombstone
	tail  persistence.Tail
	// roster names the members, as long as they are few: where head.Large is not set.
	roster persistence.Roster
	// members holds the memberships that are known: nil stands for "no member". Where complete is set, a user who is not in it is no member.
	members     members
	now         persistence.Instant // of the last change; time does not go back
	raised      uint64              // counts the changes since when members may have more unread than before
	nextWitness string              // the one before: whoever looks for another goes on behind them

	dirty             dirty
	present, complete bool
}

// Load makes a State from a conversation's rows: the values under its head's, its tail's and its roster's keys, nil where there is none.
func Load(name string, head, tail, roster []byte) (*State, error) {
	s := &State{name: name, complete: true}
	if head == nil {
		return s, nil
	}
	h, floor, err := persistence.DecodeHead(head)
	if err != nil {
		return nil, err
	}
	if h == nil {
		s.floor = floor
		return s, nil
	}
	s.from(h)
	if tail != nil {
		t, err := persistence.DecodeTail(tail)
		if err != nil {
			return nil, err
		}
		if t.Generation == s.head.Generation {
			s.tail = *t
		}
	}
	if roster != nil {
		r, err := persistence.DecodeRoster(roster)
		if err != nil {
			return nil, err
		}
		if r.Generation == s.head.Generation {
			s.roster = *r
		}
	}
	s.share()
	return s, nil
}

// from makes the state be that of a head which has neither tail nor roster, as far as is known, and of which no membership is known.
func (s *State) from(h *persistence.Head) {
	s.head, s.present, s.complete = *h, true, false
	s.floor = persistence.Tombstone{LastSeq: h.Floor}
	s.tail = persistence.Tail{Generation: h.Generation, Last: h.LastSeq}
	s.roster = persistence.Roster{Generation: h.Generation}
	s.now = h.Activity
	if h.Reason == persistence.ReasonDeleted || (h.Kept != 0 && h.Deadline != persistence.Never) {
		s.now = max(s.now, h.Deadline) // the deadline is when it was deleted, or judged over: no change from before that moment may revive it
	}
}

// share has the same names be the same memory.
func (s *State) share() {
	names := s.tail.Senders.Parts().Names
	for i := range names {
		names[i] = s.own(names[i])
	}
	s.head.LastSender, s.head.Witness = s.own(s.head.LastSender), s.own(s.head.Witness)
}

// own returns a name as the State has it, where it is in the roster: the memory of the one given is then kept by nobody.
func (s *State) own(name string) string {
	if i, found := slices.BinarySearch(s.roster.Users, name); found {
		return s.roster.Users[i]
	}
	return name
}

// Name returns the conversation's name.
func (s *State) Name() string { return s.name }

// Generation returns the latest generation that is known, alive or over; 0 if none is.
func (s *State) Generation() persistence.Generation {
	if s.present {
		return s.head.Generation
	}
	return s.floor.Generation
}

// alive reports whether there is a generation that is not over.
func (s *State) alive(now persistence.Instant) bool { return s.present && now < s.head.Deadline }

// Missing returns the users, some perhaps twice, whose memberships must be given to [State.Learn] before the change can be applied at that time. Where too many
// are in memory it forgets them, all of which are in the rows, so that neither refusals nor repetitions make a State grow without bound.
func (s *State) Missing(change Change, now persistence.Instant) []string {
	if !s.alive(max(now, s.now)) {
		return nil
	}
	if s.complete && s.members.len() > maxResident {
		s.forget()
	}
	missing := s.unknown(change)
	if len(missing) > 0 && s.members.len()+len(missing) > maxResident {
		s.forget()
		missing = s.unknown(change)
	}
	return missing
}

// Ahead adds to the users that [State.Missing] returned those whose memberships a change that comes later will ask for, so that they can be read together. It reports
// false once there is no room for more; Missing must be asked again when that change's turn comes.
func (s *State) Ahead(missing []string, later Change) (users []string, more bool) {
	if s.members.len()+len(missing) >= maxResident {
		return missing, false
	}
	return append(missing, s.unknown(later)...), true
}

// forget lets go of all memberships but those that are dirty.
func (s *State) forget() {
	var kept members
	for _, m := range s.members.list {
		if m.dirty {
			kept.add(m)
		}
	}
	s.members, s.complete = kept, false
}

func (s *State) unknown(change Change) []string {
	if s.complete {
		return nil
	}
	if p, ok := change.(*Post); ok && len(p.Members)+len(p.Mentions) == 0 { // the most frequent of all
		if known := s.members.has(p.Sender); known {
			return nil
		}
	}
	var users []string
	change.touches(func(user string) {
		if known := s.members.has(user); !known {
			users = append(users, user)
		}
	})
	return users
}

// Learn takes in the value under a user's membership key, nil where there is none. A value of another generation counts as none.
func (s *State) Learn(user string, value []byte) error {
	if known := s.members.has(user); known {
		return nil
	}
	if value == nil {
		s.members.set(user, nil)
		return nil
	}
	m, err := persistence.DecodeMembership(value)
	if err != nil {
		return err
	}
	if !s.present || m.Generation != s.head.Generation {
		m = nil
	} else {
		m.Follow(&s.head)
	}
	s.members.set(user, m)
	return nil
}

// Input is one change with what came along.
type Input struct {
	Change       Change
	IfGeneration uint64
	Revision     uint64
	At           persistence.Instant // when it was accepted
	Now          persistence.Instant // when it is applied: what readers who ask what changed go by
	Policy       Policy              // of the namespace
	// Order returns the order to forget a user that the change came after, zero for none: a membership that begins is not meant by it. Nil: there is none for anybody.
	Order func(user string) persistence.Instant
	// Users: the outcome is to name those whose memberships changed.
	Users bool
	// Next draws a generation higher than all that this conversation ever had. It is called at most once.
	Next func() persistence.Generation
}

// Outcome is what a change or a judgement comes to.
type Outcome struct {
	Changed bool
	Stamp   persistence.Instant // when it was applied, as the rows have it
	// Everyone: all members may see it, not only those of whom there are rows among the Writes.
	Everyone bool
	Users    []string // where the input asks for them: whose memberships changed, in the order of their names
	// Writes are rows to be written with those that TakeDirty returns, of which the change has left Dirtied dirty.
	Writes  []Write
	Dirtied int
	// Due, where it is not zero, is when a due entry among the Writes comes due.
	Due persistence.Instant
	// Ended, where it is not nil, is a generation whose rows are to be deleted once the Writes, and all before them, are in the store.
	Ended *Ending
}

// Rows returns how many rows the outcome changes.
func (o *Outcome) Rows() int { return len(o.Writes) + o.Dirtied }

// Write is one row to write, whole.
type Write struct {
	Key       []byte
	Value     []byte
	Delete    bool   // remove the row instead
	IfPresent bool   // only where the row exists in the store
	User      string // in rows of one user: whose
}

// Ending is a generation that is over.
type Ending struct {
	Conversation string
	Generation   persistence.Generation
	Reason       persistence.Reason
	LastSeq      uint64
	Deadline     persistence.Instant // when it was over
	Due          persistence.Instant // the deadline in the key of its due entry
	Members      uint64              // that had not left
	Pins         uint64              // among them, who had pinned it
	Alone        bool                // nothing of an earlier generation was left when it began
	Index        persistence.Index   // where their entries stand
	Users        []string            // of its roster, which is not to be changed: where it is not large
}

// Apply applies a change. Either it returns an outcome, or an [*Error] and the State is as it was. Memberships that the change touches must be known:
// see [State.Missing].
func (s *State) Apply(in Input) (Outcome, error) {
	now := max(in.At, s.now)
	alive := s.alive(now)
	if in.IfGeneration != 0 && alive && in.IfGeneration != uint64(s.head.Generation) {
		return Outcome{}, s.refuse(ErrConflict, "if_generation", "is not the current generation")
	}
	a := newApplier(s, in, now)
	done := false
	defer func() {
		if done {
			a.rest()
		} else {
			a.takeBack()
		}
	}()
	out, err := a.apply(alive)
	if err == nil {
		s.now = now
	}
	done = true
	return out, err
}

func (a *applier) apply(alive bool) (Outcome, error) {
	var err error
	switch change := a.in.Change.(type) {
	case *Post:
		err = a.post(change, alive)
	case *Join:
		err = a.join(change, alive)
	case *Rewind:
		err = a.rewind(change, alive)
	default:
		if !alive {
			return Outcome{}, a.refuse(ErrNotFound, "", "no such conversation")
		}
		switch change := change.(type) {
		case *Amend:
			err = a.amend(change)
		case *Leave:
			a.leave(change)
		case *Read:
			err = a.read(change)
		case *Deliver:
			err = a.deliver(change)
		case *MarkUnread:
			err = a.markUnread(change)
		case *Clear:
			err = a.clear(change)
		case *Set:
			err = a.set(change)
		case *Hold:
			a.hold(change)
		case *Delete:
			err = a.delete()
		case *Forget:
			a.forget(change)
		default:
			err = Invalid("change", "is not known to this version")
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	return a.finish(), nil
}

func (s *State) refuse(kind error, field, reason string) *Error {
	return &Error{Kind: kind, Conversation: s.name, Field: field, Reason: reason}
}

// Standing returns what a reply says of the conversation: zeros where there is none.
func (s *State) Standing() (generation, version, lastSeq uint64) {
	if !s.present {
		return uint64(s.floor.Generation), 0, s.floor.LastSeq
	}
	return uint64(s.head.Generation), s.head.Version, s.head.LastSeq
}

// MembershipView returns a member's view, nil where the user is none or the membership is not resident.
func (s *State) MembershipView(user string) *MembershipView {
	m := s.members.get(user)
	if m == nil || !s.present {
		return nil
	}
	return viewMembership(user, &s.head, &s.tail, m)
}
