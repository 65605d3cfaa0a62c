package conversation

// Known is what a State knows, as the values of its rows.
type Known struct {
	Head, Tail, Roster string
	Members            map[string]string // of those who are members
	Complete           bool
}

// Known returns what the State knows.
func (s *State) Known() Known {
	k := Known{string(s.head.Encode()), string(s.tail.Encode()), string(s.roster.Encode()), map[string]string{}, s.complete}
	for _, m := range s.members.list {
		if m.Membership != nil {
			k.Members[m.user] = string(m.Encode())
		}
	}
	return k
}
