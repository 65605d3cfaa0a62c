package conversation

import (
	"fmt"
)

// checkPreview refuses a preview that is longer than the namespace wants.
func (a *applier) checkPreview(field string, preview []byte) error {
	if most := a.in.Policy.MaxPreview; most > 0 && uint64(len(preview)) > most {
		return a.refuse(ErrInvalid, field, fmt.Sprintf("must be at most %d bytes, has %d", most, len(preview)))
	}
	return nil
}

// checkJoin refuses a join by which there would be more members than the namespace wants.
func (a *applier) checkJoin(j *Join, alive bool) error {
	if a.in.Policy.MaxMembers == 0 {
		return nil
	}
	comers := map[string]struct{}{}
	for _, user := range j.Users {
		if m := a.members.get(user); !alive || m == nil || (m.Left && !a.outdated(m.Revision)) {
			comers[user] = struct{}{}
		}
	}
	return a.checkMembers("join.users", len(comers), alive)
}

// checkRoom refuses a post by which there would be more members than the namespace wants.
func (a *applier) checkRoom(p *Post, alive bool) error {
	if a.in.Policy.MaxMembers == 0 {
		return nil
	}
	field, comers := "post.sender", map[string]struct{}{}
	if !alive || a.members.get(p.Sender) == nil {
		comers[p.Sender] = struct{}{}
	}
	for _, user := range p.Members {
		m := a.members.get(user)
		if _, counted := comers[user]; counted || (alive && m != nil && (!m.Left || p.Seq <= m.VisibleTo)) {
			continue
		}
		comers[user] = struct{}{}
		field = "post.members"
	}
	return a.checkMembers(field, len(comers), alive)
}

// checkMembers refuses what would bring so many more members.
func (a *applier) checkMembers(field string, comers int, alive bool) error {
	most, members := a.in.Policy.MaxMembers, uint64(0)
	if alive {
		members = a.head.Members
	}
	if comers == 0 || members+uint64(comers) <= most {
		return nil
	}
	return a.refuse(ErrInvalid, field, fmt.Sprintf("would make %d members, of at most %d", members+uint64(comers), most))
}
