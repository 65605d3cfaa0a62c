package conversation

import (
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

func (a *applier) post(p *Post, alive bool) error {
	if err := a.checkPreview("post.preview", p.Preview); err != nil {
		return err
	}
	if !alive {
		if a.in.IfGeneration != 0 {
			return a.refuse(ErrConflict, "if_generation", "is over")
		}
		if p.Seq <= a.reached() {
			return nil // a late repeat from the generation before
		}
		if a.in.Policy.RequireMembers && len(p.Members) == 0 {
			return a.refuse(ErrMembersRequired, "post.members", "must be named by a post that begins a generation")
		}
		if err := a.checkRoom(p, alive); err != nil {
			return err
		}
		a.begin()
		a.head.LastSeq, a.head.LoudSeq = 0, 0 // the first post may have any number
	} else if p.Seq <= a.floor.LastSeq {
		return nil // likewise, though the next generation has begun
	} else if jump := a.in.Policy.maxSeqJump(); p.Seq > a.head.LastSeq && p.Seq-a.head.LastSeq > jump {
		return a.refuse(ErrInvalid, "post.seq", fmt.Sprintf("must be at most %d above the last, %d", jump, a.head.LastSeq))
	} else if err := a.checkRoom(p, alive); err != nil {
		return err
	}
	if alive && a.senderWasForgotten(p.Seq) {
		return nil // a late repeat, which brings nobody back
	}
	sentAt := a.now
	if !p.SentAt.IsZero() {
		sentAt = min(a.now, persistence.InstantOf(p.SentAt))
	}
	if p.Seq > a.head.LastSeq {
		a.headChanged, a.tailChanged = true, true
		a.head.LastSeq = p.Seq
		a.undo.keepSenders(&a.tail, a.tail.Last, p.Seq)
		a.tail.Extend(p.Seq)
		a.show(p, sentAt)
	} else if p.Seq == a.head.LastSeq && a.head.LastSender == "" { // others were taken back, and nobody knows this one any more
		a.headChanged = true
		a.show(p, sentAt)
	}
	first := a.mark(p)
	switch {
	case p.Silent:
	case p.Seq > a.head.LoudSeq:
		if a.head.LoudSeq <= a.head.Floor {
			a.head.Ordered = sentAt // up to now it was when the generation was born
		}
		a.headChanged = true
		a.head.LoudSeq, a.head.Ordered = p.Seq, max(a.head.Ordered, sentAt)
		a.head.Activity = a.now
	case first && sentAt > a.head.Ordered: // a later message overtook it
		a.headChanged = true
		a.head.Ordered = sentAt
	}
	a.admit(p.Sender, p.Seq, false)
	for _, user := range p.Members {
		a.admit(user, p.Seq, true)
	}
	// Also of one who left: the message that brings them back may be on its way. Not by a repeat: the sender may have marked the message unread since.
	repeat := !first && a.tail.Last-p.Seq < persistence.TailSenders
	if m := a.members.get(p.Sender); !p.Unattended && !repeat && m.ReadSeq < p.Seq {
		m = a.touch(p.Sender)
		m.ReadSeq, m.ReadAt, m.MarkedUnread = p.Seq, a.now, false
	}
	for _, user := range p.Mentions {
		a.mention(user, p)
	}
	return nil
}

// senderWasForgotten reports whether the message is known, and to have been sent by somebody who was forgotten.
func (a *applier) senderWasForgotten(seq uint64) bool {
	return seq <= a.tail.Last && a.tail.Last-seq < persistence.TailSenders && a.tail.Senders.Of(seq) == persistence.Nobody
}

// show makes the post the one that is shown as the last.
func (a *applier) show(p *Post, sentAt persistence.Instant) {
	a.head.LastSender, a.head.Preview, a.head.SentAt = p.Sender, p.Preview, sentAt
}

// reached is the last message of the generation that is over, or of the one before the first.
func (s *State) reached() uint64 {
	if s.present {
		return s.head.LastSeq
	}
	return s.floor.LastSeq
}

// mark notes in the tail what is to be known of this very message. Marks are only ever added, so that a repeat changes nothing and a message that
// was overtaken by the next finds its place. It reports whether the message is certainly no repeat: the tail has room for its sender and did not know them.
func (a *applier) mark(p *Post) (first bool) {
	last := a.tail.Last
	if last-p.Seq >= persistence.TailMessages {
		return false
	}
	a.fewer = a.fewer || p.Seq < last // it counted as any number that was never proposed does
	if p.Silent && !a.tail.Uncounted.Has(p.Seq) {
		a.tail.Uncounted.Set(p.Seq, true)
		a.tailChanged = true
	}
	if p.MentionAll && !a.tail.Everyone.Has(p.Seq) {
		a.tail.Everyone.Set(p.Seq, true)
		a.tailChanged = true
	}
	if last-p.Seq < persistence.TailSenders && a.tail.Senders.Of(p.Seq) == "" {
		a.undo.keepSenders(&a.tail, p.Seq-1, p.Seq)
		a.tail.Senders.Set(p.Seq, p.Sender)
		a.tailChanged, first = true, true
	}
	return first
}

// admit makes a user a member from the message on; a message that was overtaken moves that back. Someone who left comes back only where `back` asks for
// it, and only by a message that is newer than their leaving.
func (a *applier) admit(user string, seq uint64, back bool) {
	m := a.members.get(user)
	switch {
	case m == nil:
		m = a.touch(user)
		m.VisibleFrom = seq
	case m.Left && back && seq > m.VisibleTo:
		m = a.touch(user)
		m.Left, m.Keep, m.Frozen, m.VisibleFrom = false, false, 0, seq
	case !m.Left && seq < m.VisibleFrom && seq > m.VisibleTo && (back || m.VisibleTo == 0):
		a.touch(user).VisibleFrom = seq
		return
	default:
		return
	}
	a.enter(m)
}

// enter counts a member who is new, or is back.
func (a *applier) enter(m *persistence.Membership) {
	a.head.Members++
	if m.Pin != 0 {
		a.head.Pins++
	}
	a.headChanged = true
}

// mention notes that the message names a member, or somebody who has left since.
func (a *applier) mention(user string, p *Post) {
	m := a.members.get(user)
	if m == nil || (m.Left && p.Seq > m.VisibleTo) || user == p.Sender {
		return
	}
	at, found := slices.BinarySearch(m.Mentions, p.Seq)
	if found || (len(m.Mentions) == persistence.MaxMentions && at == 0) {
		return
	}
	m = a.touch(user)
	m.Mentions = slices.Insert(slices.Clone(m.Mentions), at, p.Seq)
	if extra := len(m.Mentions) - persistence.MaxMentions; extra > 0 {
		m.Mentions = slices.Delete(m.Mentions, 0, extra)
	}
}
