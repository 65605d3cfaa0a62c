package conversation

func (p *Post) touches(yield func(string)) {
	yield(p.Sender)
	for _, user := range p.Members {
		yield(user)
	}
	for _, user := range p.Mentions {
		yield(user)
	}
}

func (j *Join) touches(yield func(string)) {
	for _, user := range j.Users {
		yield(user)
	}
}

func (l *Leave) touches(yield func(string)) {
	for _, user := range l.Users {
		yield(user)
	}
}

func (r *Read) touches(yield func(string))       { yield(r.User) }
func (d *Deliver) touches(yield func(string))    { yield(d.User) }
func (m *MarkUnread) touches(yield func(string)) { yield(m.User) }
func (c *Clear) touches(yield func(string))      { yield(c.User) }
func (s *Set) touches(yield func(string))        { yield(s.User) }

func (*Amend) touches(func(string))  {}
func (*Hold) touches(func(string))   {}
func (*Delete) touches(func(string)) {}
func (*Rewind) touches(func(string)) {}
