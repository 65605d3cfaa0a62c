package conversation

import "github.com/parley-im/parley/persistence"

// members are the memberships that are known, by user: nil stands for "no member". Most conversations have two, which are found sooner by looking than by hashing, and in less memory.
type members struct {
	list   []member
	places map[string]int // in list; where there are many
}

type member struct {
	user string
	*persistence.Membership
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
	m, _ := s.look(user)
	return m
}

// look returns a user's membership, nil where they are no member, and whether that is known.
func (s *members) look(user string) (m *persistence.Membership, known bool) {
	if i := s.find(user); i >= 0 {
		return s.list[i].Membership, true
	}
	return nil, false
}

func (s *members) has(user string) bool { return s.find(user) >= 0 }

func (s *members) set(user string, m *persistence.Membership) {
	if i := s.find(user); i >= 0 {
		s.list[i].Membership = m
		return
	}
	s.list = append(s.list, member{user, m})
	if s.places != nil {
		s.places[user] = len(s.list) - 1
	} else {
		s.reindex()
	}
}

// reindex makes the places be those in the list.
func (s *members) reindex() {
	s.places = nil
	if len(s.list) <= fewNames {
		return
	}
	s.places = make(map[string]int, 2*len(s.list))
	for i := range s.list {
		s.places[s.list[i].user] = i
	}
}
