package conversation

import (
	"github.com/parley-im/parley/persistence"
)

// Question asks for a member who has something unread. It is answered from the conversation's rows, as of moments after it was asked, which may take its time: changes go on meanwhile, and
// what they make of the answer is the State's to say.
type Question struct {
	Generation persistence.Generation
	After      string // a user behind whom to begin, in the order of the names: whoever comes before them was looked at lately

	state  *State
	raised uint64
}

// Answer names a member who has something unread; "": nobody has.
type Answer struct {
	*Question

	User string
}

// Asks reports whether [State.Judge] would come to Unsure.
func (s *State) Asks(generation persistence.Generation, due, now persistence.Instant) bool {
	h := &s.head
	now = max(now, s.now)
	return s.present && h.Generation == generation && h.Due == due && s.alive(now) && h.Kept != 0 && h.Witness == "" && now >= h.Kept
}

// Ask returns the question on which a judgement depends that came to Unsure.
func (s *State) Ask() *Question {
	return &Question{Generation: s.Generation(), After: s.nextWitness, state: s, raised: s.raised}
}

// Knows reports whether a user's membership, or that they have none, is in memory. If not, it must be given to [State.Learn] before an answer that names them is.
func (s *State) Knows(user string) bool {
	known := s.members.has(user)
	return known || s.complete
}

// Conclude judges as [State.Judge] does, with the answer to what an earlier judgement asked. It comes to Unsure once more where the answer does not hold any more, and to Over, with the head
// among the writes, where nobody has anything unread: the generation is over from now on. Who has is remembered, so that nothing is due until that member has read, or left.
func (s *State) Conclude(answer *Answer, generation persistence.Generation, due, now persistence.Instant) (Verdict, Outcome) {
	verdict, out := s.Judge(generation, due, now)
	if verdict != Unsure {
		return verdict, out
	}
	now = max(now, s.now)
	switch {
	case answer.User != "" && s.hasUnread(answer.User):
		s.head.Witness = answer.User
		return s.later(now)
	case answer.User != "" || answer.state != s || answer.raised != s.raised:
		s.nextWitness = answer.User
		return Unsure, out
	}
	s.now, s.head.Deadline = now, now
	s.soilHead(&out)
	out.Ended = s.ending(&s.head)
	return Over, out
}

// hasUnread reports whether a user is known to be a member who has something unread.
func (s *State) hasUnread(user string) bool {
	m := s.members.get(user)
	return m != nil && !m.Left && unread(user, &s.head, &s.tail, m) > 0
}

// HasUnread reports whether the rows are of a member, who has not left, and who has something unread.
func (r Rows) HasUnread(user string) bool {
	return r.Membership != nil && !r.Membership.Left && unread(user, r.Head, r.Tail, r.Membership) > 0
}
