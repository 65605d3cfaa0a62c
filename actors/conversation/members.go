package conversation

import "github.com/parley-im/parley/persistence"

// fewNames is how many names are looked through one by one.
const fewNames = 8

// members are the memberships that are known, by user: nil stands for "no member". Most conversations have two, which are found sooner by looking than by hashing, and in less memory.
type members struct {
	list   []member
	places map[string]int // in list; where there are many
}

type member struct {
	*persistence.Membership

	user  string
	dirty bool // it has changed since its row was last encoded
}

func (s *members) len() int { return len(s.list) }

func (s *members) find(user string) int {
	if s.places != nil {
		if i, ok := s.places[user]; ok {
			return i
		}
		return -1
	}
	for i := range s.list {
		if s.list[i].user == user {
			return i
		}
	}
	return -1
}

// get returns a user's membership, nil where they are no member or that is not known.
func (s *members) get(user string) *persistence.Membership {
	if i := s.find(user); i >= 0 {
		return s.list[i].Membership
	}
	return nil
}

func (s *members) has(user string) bool { return s.find(user) >= 0 }

func (s *members) set(user string, m *persistence.Membership) {
	if i := s.find(user); i >= 0 {
		s.list[i].Membership = m
		return
	}
	s.add(member{Membership: m, user: user})
}

// add takes in one that is not there yet.
func (s *members) add(m member) {
	s.list = append(s.list, m)
	switch {
	case s.places != nil:
		s.places[m.user] = len(s.list) - 1
	case len(s.list) > fewNames:
		s.places = make(map[string]int, 2*len(s.list))
		for i := range s.list {
			s.places[s.list[i].user] = i
		}
	}
}
