package conversation

import (
	"fmt"

	"github.com/parley-im/parley/persistence"
)

func (a *applier) read(r *Read) error {
	m, err := a.member("read", r.User, r.Seq)
	if err != nil {
		return err
	}
	if r.Seq <= m.ReadSeq && !m.MarkedUnread {
		return nil
	}
	m = a.touch(r.User)
	m.MarkedUnread = false
	if r.Seq > m.ReadSeq {
		m.ReadSeq, m.ReadAt = r.Seq, a.now
	}
	return nil
}

func (a *applier) clear(c *Clear) error {
	m, err := a.member("clear", c.User, c.Seq)
	if err != nil {
		return err
	}
	// Hiding up to the cleared message, not to the latest, lets a repeat that comes after the next message change nothing.
	hide := c.Hide && m.Hide != persistence.HideAlways && (m.Hide != persistence.HideUntilMessage || m.HiddenAt < c.Seq)
	if c.Seq <= m.ClearedSeq && !hide {
		return nil
	}
	m = a.touch(c.User)
	m.ClearedSeq = max(m.ClearedSeq, c.Seq)
	if hide {
		m.Hide, m.HiddenAt = persistence.HideUntilMessage, max(m.HiddenAt, c.Seq)
	}
	return nil
}

// member returns the membership of a user who may mark messages up to seq.
func (a *applier) member(change, user string, seq uint64) (*persistence.Membership, error) {
	m := a.members[user]
	if m == nil || (m.Left && !m.Keep) {
		return nil, a.refuse(ErrNotFound, change+".user", "is not a member")
	}
	if jump := a.in.Policy.maxSeqJump(); seq > a.head.LastSeq && seq-a.head.LastSeq > jump {
		return nil, a.refuse(ErrInvalid, change+".seq", fmt.Sprintf("must be at most %d above the last, %d", jump, a.head.LastSeq))
	}
	return m, nil
}
