package persistence

// TableSize returns how many names the table holds, in use or not.
func (s *Senders) TableSize() int { return len(s.parts.Names) }
