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

func (a *applier) deliver(d *Deliver) error {
	m, err := a.member("deliver", d.User, d.Seq)
	if err != nil {
		return err
	}
	if limit := a.in.Policy.ReceiptsUpTo; d.Seq > m.DeliveredSeq && (limit == 0 || a.head.Members <= limit) {
		a.touch(d.User).DeliveredSeq = d.Seq
	}
	return nil
}

func (a *applier) markUnread(u *MarkUnread) error {
	m, err := a.member("mark_unread", u.User, 0)
	switch {
	case err != nil:
		return err
	case u.Seq > a.head.LastSeq:
		return a.refuse(ErrInvalid, "mark_unread.seq", fmt.Sprintf("must be at most the last, %d", a.head.LastSeq))
	case u.Seq > 0 && a.head.LastSeq-u.Seq >= persistence.TailSenders:
		return a.refuse(ErrInvalid, "mark_unread.seq", fmt.Sprintf("must be one of the last %d, up to %d", persistence.TailSenders, a.head.LastSeq))
	case a.outdated(m.Revision):
		return nil
	}
	a.revise(u.User, m.Revision)
	if back := u.Seq > 0 && m.ReadSeq >= u.Seq; back || !m.MarkedUnread {
		m = a.touch(u.User)
		m.MarkedUnread = true
		if back {
			m.DeliveredSeq = max(m.DeliveredSeq, m.ReadSeq) // what was read was delivered, and stays so
			m.ReadSeq = u.Seq - 1
		}
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
	m := a.members.get(user)
	if m == nil || (m.Left && !m.Keep) {
		return nil, a.refuse(ErrNotFound, change+".user", "is not a member")
	}
	if jump := a.in.Policy.maxSeqJump(); seq > a.head.LastSeq && seq-a.head.LastSeq > jump {
		return nil, a.refuse(ErrInvalid, change+".seq", fmt.Sprintf("must be at most %d above the last, %d", jump, a.head.LastSeq))
	}
	return m, nil
}
