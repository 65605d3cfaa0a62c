package actors_test

import (
	"slices"
	"strings"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// face is what a generation shows to everybody.
type face struct {
	last, loud        uint64
	sender, preview   string
	ordered, activity int64
	held              bool
	members           int
}

// face counts what everybody is shown.
func (l *life) face() face {
	f := face{last: l.floor, ordered: l.born, activity: l.born, held: l.held}
	if l.joined {
		f.loud = l.floor // it goes on from there, for whom a message of before ends hiding
	}
	first := true // of those that are not silent
	for _, p := range l.posts {
		if p.Seq > f.last {
			f.last, f.sender, f.preview = p.Seq, strings.TrimPrefix(p.Sender, nobody), string(p.Preview)
		}
		if p.Silent {
			continue
		}
		raises := p.Seq > f.loud
		if raises {
			f.loud, f.activity = p.Seq, p.at
		}
		switch {
		case first:
			f.ordered = p.sent
		case raises || p.known:
			f.ordered = max(f.ordered, p.sent)
		}
		first = false
	}
	for _, a := range l.amends {
		if a.Seq == f.last && a.Preview != nil {
			f.preview = string(a.Preview)
		}
	}
	for _, m := range l.members {
		if !m.left {
			f.members++
		}
	}
	return f
}

// retractedSince reports whether an amendment after the first n took back a message that counted until then.
func (l *life) retractedSince(n int) bool {
	for _, a := range l.amends[n:] {
		if a.Retracted && !slices.ContainsFunc(l.posts, func(p said) bool { return p.Seq == a.Seq && p.Silent && p.marks }) &&
			!slices.ContainsFunc(l.amends[:n], func(b *conversation.Amend) bool { return b.Seq == a.Seq && b.Retracted }) {
			return true
		}
	}
	return false
}

// reading is what a user's marks come to.
type reading struct {
	read, cleared, delivered uint64
	at                       int64
	marked                   bool
	hide                     persistence.Hide
	hideUpTo                 uint64
	named                    []uint64
}

func (m member) reading() reading {
	r := reading{delivered: m.delivered}
	for _, k := range m.marks {
		switch k.what {
		case "read":
			r.marked = false
			r.to(k)
		case "wrote":
			if k.seq > r.read {
				r.marked = false
			}
			r.to(k)
		case "joined":
			r.read = max(r.read, k.seq)
		case "unread":
			r.marked = true
			if k.seq > 0 && r.read >= k.seq {
				r.delivered, r.read = max(r.delivered, r.read), k.seq-1
			}
		case "clear":
			r.cleared = max(r.cleared, k.seq)
		case "clear and hide":
			r.cleared = max(r.cleared, k.seq)
			if r.hide != persistence.HideAlways {
				r.hide, r.hideUpTo = persistence.HideUntilMessage, max(r.hideUpTo, k.seq)
			}
		case "hide":
			r.hide, r.hideUpTo = k.hide, 0
			if k.hide == persistence.HideUntilMessage {
				r.hideUpTo = k.seq
			}
		case "named":
			if !slices.Contains(r.named, k.seq) {
				r.named = append(r.named, k.seq)
			}
		}
	}
	r.delivered = max(r.delivered, r.read)
	slices.Sort(r.named)
	r.named = r.named[max(0, len(r.named)-knownNames):]
	return r
}

func (r *reading) to(k mark) {
	if k.seq > r.read {
		r.read, r.at = k.seq, k.at
	}
}

// hidden is how the conversation is hidden for the user.
func (a *account) hidden(user string) persistence.Hide {
	m, loud := a.members[user], a.face().loud
	if m.left {
		loud = min(loud, m.leftAt)
	}
	r := m.reading()
	if r.hide == persistence.HideUntilMessage && loud > r.hideUpTo {
		return persistence.HideNone
	}
	return r.hide
}

// count returns how many messages a user has yet to read, and how many of those mention them.
func (a *account) count(user string) (unread, mentions uint64) {
	m, last := a.members[user], a.face().last
	r, upTo := m.reading(), last
	if m.left {
		upTo = min(upTo, m.leftAt)
	}
	after := max(r.read, r.cleared, max(m.from, 1)-1)
	if after >= upTo {
		return 0, 0
	}
	unread = upTo - after
	counts := func(seq uint64) bool { return seq > after && seq <= upTo }
	var gone []uint64 // those that count for nobody
	for _, b := range a.amends {
		if b.Retracted && last-b.Seq < knownMarks && !slices.Contains(gone, b.Seq) {
			gone = append(gone, b.Seq)
		}
	}
	for _, p := range a.posts {
		if p.Silent && p.marks && last-p.Seq < knownMarks && !slices.Contains(gone, p.Seq) {
			gone = append(gone, p.Seq)
		}
	}
	for _, seq := range gone {
		if counts(seq) {
			unread--
		}
	}
	for _, p := range a.posts {
		near := last-p.Seq < knownMarks
		own := p.known && last-p.Seq < knownSenders && p.Sender == user
		switch {
		case !counts(p.Seq) || slices.Contains(gone, p.Seq):
		case own:
			unread--
		case near && p.marks && p.MentionAll && !slices.Contains(r.named, p.Seq):
			mentions++
		}
	}
	for _, seq := range r.named {
		if counts(seq) && !slices.Contains(gone, seq) {
			mentions++
		}
	}
	return unread, mentions
}
