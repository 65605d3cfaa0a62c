package conversation

import (
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// Check returns the first thing that is wrong with a change taken by itself, as an [*Error] of kind [ErrInvalid] that names the field; nil if
// nothing is. Every door of the engine uses it.
func Check(change Change) error {
	if change == nil {
		return Invalid("change", "must be set")
	}
	return change.check()
}

// CheckConversation returns what is wrong with a conversation's name, as an [*Error] of kind [ErrInvalid].
func CheckConversation(name string) error {
	if err := persistence.CheckConversation(name); err != nil {
		return Invalid("conversation", err.Error())
	}
	return nil
}

// CheckUser returns what is wrong with a user's name that stands in the field, as an [*Error] of kind [ErrInvalid].
func CheckUser(field, name string) error {
	if err := persistence.CheckUser(name); err != nil {
		return Invalid(field, err.Error())
	}
	return nil
}

func (p *Post) check() error {
	switch {
	case p == nil:
		return Invalid("post", "must be set")
	case len(p.Preview) > MaxPreview:
		return Invalid("post.preview", fmt.Sprintf("must be at most %d bytes, has %d", MaxPreview, len(p.Preview)))
	}
	if err := checkSeq("post.seq", p.Seq); err != nil {
		return err
	}
	if err := CheckUser("post.sender", p.Sender); err != nil {
		return err
	}
	if err := checkUsers("post.mentions", p.Mentions, 0, MaxMentions); err != nil {
		return err
	}
	return checkUsers("post.members", p.Members, 0, MaxUsers)
}

func (j *Join) check() error {
	if j == nil {
		return Invalid("join", "must be set")
	}
	return checkUsers("join.users", j.Users, 1, MaxUsers)
}

func (l *Leave) check() error {
	if l == nil {
		return Invalid("leave", "must be set")
	}
	return checkUsers("leave.users", l.Users, 1, MaxUsers)
}

func (r *Read) check() error {
	if r == nil {
		return Invalid("read", "must be set")
	}
	return checkUpTo("read", r.User, r.Seq)
}

func (c *Clear) check() error {
	if c == nil {
		return Invalid("clear", "must be set")
	}
	return checkUpTo("clear", c.User, c.Seq)
}

func (a *Amend) check() error {
	switch {
	case a == nil:
		return Invalid("amend", "must be set")
	case len(a.Preview) > MaxPreview:
		return Invalid("amend.preview", fmt.Sprintf("must be at most %d bytes, has %d", MaxPreview, len(a.Preview)))
	}
	return checkSeq("amend.seq", a.Seq)
}

func (d *Deliver) check() error {
	if d == nil {
		return Invalid("deliver", "must be set")
	}
	return checkUpTo("deliver", d.User, d.Seq)
}

func (m *MarkUnread) check() error {
	if m == nil {
		return Invalid("mark_unread", "must be set")
	}
	if m.Seq > maxSeq {
		return Invalid("mark_unread.seq", "must be at most 2^62")
	}
	return CheckUser("mark_unread.user", m.User)
}

func (s *Set) check() error {
	switch {
	case s == nil:
		return Invalid("set", "must be set")
	case s.MutedUntil != nil && s.MutedUntil.UTC().Year() > 9999:
		return Invalid("set.muted_until", "must be at most the year 9999")
	case s.Hide != nil && *s.Hide > persistence.HideAlways:
		return Invalid("set.hide", fmt.Sprintf("must be 0 (not), 1 (until the next message) or 2 (always), is %d", *s.Hide))
	case len(s.Custom) > MaxCustom:
		return Invalid("set.custom", fmt.Sprintf("must be at most %d bytes, has %d", MaxCustom, len(s.Custom)))
	case s.Draft != nil && len(s.Draft.Text) > MaxDraft:
		return Invalid("set.draft.text", fmt.Sprintf("must be at most %d bytes, has %d", MaxDraft, len(s.Draft.Text)))
	}
	return CheckUser("set.user", s.User)
}

func (h *Hold) check() error {
	if h == nil {
		return Invalid("hold", "must be set")
	}
	return nil
}

func (d *Delete) check() error {
	if d == nil {
		return Invalid("delete", "must be set")
	}
	return nil
}

func (r *Rewind) check() error {
	switch {
	case r == nil:
		return Invalid("rewind", "must be set")
	case r.To >= r.From:
		return Invalid("rewind.to", fmt.Sprintf("must be below rewind.from, %d, is %d", r.From, r.To))
	}
	return checkSeq("rewind.from", r.From)
}

func checkUpTo(change, user string, seq uint64) error {
	if err := CheckUser(change+".user", user); err != nil {
		return err
	}
	return checkSeq(change+".seq", seq)
}

// maxSeq leaves room above every number, so that none that is computed from two of them overflows.
const maxSeq = 1 << 62

func checkSeq(field string, seq uint64) error {
	switch {
	case seq == 0:
		return Invalid(field, "must be at least 1")
	case seq > maxSeq:
		return Invalid(field, "must be at most 2^62")
	}
	return nil
}

func checkUsers(field string, users []string, least, most int) error {
	switch {
	case len(users) < least:
		return Invalid(field, "must not be empty")
	case len(users) > most:
		return Invalid(field, fmt.Sprintf("must be at most %d users, has %d", most, len(users)))
	}
	for i, user := range users {
		if err := persistence.CheckUser(user); err != nil {
			return Invalid(fmt.Sprintf("%s[%d]", field, i), err.Error())
		}
	}
	return nil
}
