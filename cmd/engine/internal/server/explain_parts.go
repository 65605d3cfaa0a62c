package server

import (
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func memoryOf(m *actors.MemoryExplanation) *parleyv1.MemoryExplanation {
	return &parleyv1.MemoryExplanation{
		State:    parleyv1.MemoryState(m.State),
		Queued:   uint64(m.Queued),
		Failures: uint64(m.Failures),
		LastUsed: timestampOf(m.LastUsed),
		Until:    timestampOf(m.Until),
		Reason:   textOf(m.Reason),
	}
}

func journalOf(j *actors.JournalExplanation) *parleyv1.JournalExplanation {
	return &parleyv1.JournalExplanation{
		HeadRows:   uint64(j.HeadRows),
		MemberRows: uint64(j.MemberRows),
		EntryRows:  uint64(j.EntryRows),
		DueRows:    uint64(j.DueRows),
		Bytes:      uint64(j.Bytes),
		Age:        durationpb.New(j.Age),
		Batch:      j.Batch,
		Writing:    j.Writing,
		Durable:    j.Durable,
		Flushed:    j.Flushed,
		Failed:     j.Failed,
		Error:      textOf(j.Err),
		Barred:     textOf(j.Barred),
	}
}

func reaperOf(r *actors.ReaperExplanation) *parleyv1.ReaperExplanation {
	out := &parleyv1.ReaperExplanation{Waiting: uint64(r.Waiting), Failures: uint64(r.Failures), Error: textOf(r.Err), Resumes: timestampOf(r.Resumes)}
	for i := range r.Generations {
		g := &r.Generations[i]
		out.Generations = append(out.Generations, &parleyv1.ReapExplanation{
			Generation: uint64(g.Generation),
			Stage:      parleyv1.Life(g.Stage),
			Due:        timestampOf(g.Due),
			Ahead:      uint64(g.Ahead),
			After:      g.After,
			Tried:      g.Tried,
			Failures:   uint64(g.Failures),
		})
	}
	return out
}

func recentOf(c *actors.ChangesExplanation) *parleyv1.ChangesExplanation {
	out := &parleyv1.ChangesExplanation{Recording: c.Recording, Since: timestampOf(c.Since)}
	for i := range c.Changes {
		r := &c.Changes[i]
		out.Changes = append(out.Changes, &parleyv1.RecentChange{
			At: timestampOf(r.At), Generation: r.Generation,
			Changed: &parleyv1.Changed{Version: r.Version, LastSeq: r.LastSeq, Kinds: r.Kinds, Users: r.Users, Origin: r.Origin},
		})
	}
	return out
}

func userOf(u *actors.UserExplanation) *parleyv1.UserExplanation {
	out := &parleyv1.UserExplanation{User: u.User, Stale: uint64(u.Stale), Pending: u.Pending}
	m := u.Membership
	if m == nil {
		return out
	}
	out.Member, out.Left, out.Keep = true, m.Left, m.Keep
	out.VisibleFrom = m.VisibleFrom
	if m.Left {
		out.VisibleTo = m.VisibleTo
	}
	out.Unread = sumOf(&u.Unread)
	out.Hide, out.Listed = parleyv1.Hide(u.Hide), u.Listed
	out.Muted, out.MutedUntil = u.Muted, instantOf(m.MutedUntil)
	out.Pin, out.Tags, out.CustomBytes = m.Pin, m.Tags, uint64(len(m.Custom))
	out.DeliveredSeq = max(m.DeliveredSeq, m.ReadSeq) // what was read was delivered
	if m.Draft != nil {
		out.DraftBytes = uint64(len(m.Draft.Text))
	}
	out.Version, out.Revision = m.Version, m.Revision
	out.ReadAt, out.Changed = instantOf(m.ReadAt), instantOf(m.Changed)
	for _, e := range u.Entries {
		out.Entries = append(out.Entries, &parleyv1.EntryExplanation{
			Kind: entryOf(e.Kind), At: timestampOf(e.At), Moves: timestampOf(e.Moves), Present: e.Present,
		})
	}
	return out
}

func sumOf(u *conversation.UnreadSum) *parleyv1.UnreadSum {
	return &parleyv1.UnreadSum{
		Last:           u.Last,
		Read:           u.Read,
		Cleared:        u.Cleared,
		Before:         u.Before,
		From:           u.From,
		Uncounted:      u.Uncounted,
		Own:            u.Own,
		Unread:         u.Unread,
		Exact:          u.Exact(),
		Older:          u.Older,
		SendersUnknown: u.SendersUnknown,
		Marked:         u.Marked,
		ReadAhead:      u.ReadAhead,
		Named:          u.Mentions.Named,
		Everyone:       u.Mentions.Everyone,
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
