package actors_test

import (
	"maps"
	"slices"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// account is the model of one conversation: what happened in its latest generation, in lists, from which every answer is counted anew. It shares nothing with the engine but
// the names of the changes. Times are microseconds since the Unix epoch.
type account struct {
	policy conversation.Policy
	*life
}

// life is one generation, alive or over.
type life struct {
	generation, version uint64
	born                int64
	joined              bool   // it began with a join, not with a post
	floor               uint64 // what the generations before had reached
	posts               []said // each message once, in the order of arrival
	noted               int    // messages of which something was noted that everybody may be shown: whose it is, or how it counts
	amends              []*conversation.Amend
	held, told          bool // told: its deletion was
	released, deleted   int64
	members             map[string]member
	perhaps             []string // users who may have been forgotten before it was over, or not
}

// said is a message as it came.
type said struct {
	*conversation.Post

	at, sent     int64
	marks, known bool // it came while its marks, and its sender, could be noted
}

// member is what happened to a user, in the order of arrival.
type member struct {
	from, leftAt uint64
	left, keep   bool
	frozen       int64 // the last activity when they left
	revision     uint64
	marks        []mark
	delivered    uint64
	set          settings
}

// mark is a change of what a user has read ("read", "wrote", "joined", "unread"), or of what is hidden ("clear", "clear and hide", "hide").
type mark struct {
	what string
	seq  uint64
	at   int64
	hide persistence.Hide
}

// settings are what a user set last.
type settings struct {
	pin, tags    uint64
	muted, edits int64
	custom, text string
	draft        bool
}

// How far back single messages are known, as docs/semantics.md has it.
const (
	knownMarks   = 1024
	knownSenders = 256
	knownNames   = 64
)

// refusal is why a change is refused; the zero one stands for none.
type refusal struct {
	kind  error
	field string
}

func (a *account) alive(now int64) bool { return a.life != nil && now < a.deadline() }

// deadline is when the generation is over.
func (a *account) deadline() int64 {
	switch {
	case a.deleted != 0:
		return a.deleted
	case a.held || a.policy.ExpireAfter == 0:
		return int64(persistence.Never)
	}
	return max(a.released, a.face().activity+a.policy.ExpireAfter.Microseconds())
}

func (a *account) reached() uint64 {
	if a.life == nil {
		return 0
	}
	return a.face().last
}

// apply carries out a change, or says why not. Where a generation begins, its number is to be learnt from the engine.
func (a *account) apply(p *actors.Proposal, now int64) refusal {
	alive := a.alive(now)
	if alive && p.IfGeneration != 0 && p.IfGeneration != a.generation {
		return refusal{conversation.ErrConflict, "if_generation"}
	}
	var begins bool
	switch c := p.Change.(type) {
	case *conversation.Post:
		if begins = !alive && c.Seq > a.reached(); !alive && !begins && p.IfGeneration == 0 {
			return refusal{}
		}
	case *conversation.Join:
		if max(c.VisibleFrom, c.UnreadFrom) > a.reached()+a.policy.MaxSeqJump && (alive || p.IfGeneration == 0) {
			if c.VisibleFrom > a.reached()+a.policy.MaxSeqJump {
				return refusal{conversation.ErrInvalid, "join.visible_from"}
			}
			return refusal{conversation.ErrInvalid, "join.unread_from"}
		}
		begins = !alive
	}
	switch c := p.Change.(type) {
	case *conversation.Post, *conversation.Join:
		if !alive && p.IfGeneration != 0 {
			return refusal{conversation.ErrConflict, "if_generation"}
		}
	default:
		if !alive {
			return refusal{kind: conversation.ErrNotFound}
		}
		if r := a.may(c); r != (refusal{}) {
			return r
		}
	}
	if begins {
		_, joined := p.Change.(*conversation.Join)
		a.life = &life{born: now, joined: joined, floor: a.reached(), members: map[string]member{}}
	}
	before, retracted, noted := a.face(), len(a.amends), a.noted
	r := a.happen(p, now, begins)
	if r == (refusal{}) && (begins || a.face() != before || a.noted != noted || a.retractedSince(retracted)) {
		a.version++
	}
	return r
}

// may says whether the user whom a change is about is somebody who may make it.
func (a *account) may(c conversation.Change) refusal {
	switch c.(type) {
	case *conversation.Read, *conversation.Deliver, *conversation.MarkUnread, *conversation.Clear, *conversation.Set:
		user, _ := conversation.Subject(c)
		if m, ok := a.members[user]; !ok || (m.left && !m.keep) {
			return refusal{conversation.ErrNotFound, c.Kind() + ".user"}
		}
	}
	return refusal{}
}

func (a *account) happen(p *actors.Proposal, now int64, begins bool) refusal {
	face := a.face()
	ahead := func(seq uint64) bool { return seq > face.last+a.policy.MaxSeqJump }
	switch c := p.Change.(type) {
	case *conversation.Post:
		switch {
		case c.Seq <= a.floor:
		case !begins && ahead(c.Seq):
			return refusal{conversation.ErrInvalid, "post.seq"}
		default:
			a.post(c, now)
		}
	case *conversation.Amend:
		switch {
		case c.Seq <= a.floor:
		case c.Seq > face.last:
			return refusal{conversation.ErrInvalid, "amend.seq"}
		case face.last-c.Seq < knownMarks:
			a.amends = append(a.amends, c)
		}
	case *conversation.Join:
		for _, user := range c.Users {
			a.join(user, p.Revision, orNext(c.VisibleFrom, face.last), orNext(c.UnreadFrom, face.last))
		}
	case *conversation.Leave:
		for _, user := range c.Users {
			a.leave(user, p.Revision, c.Keep, face.last)
		}
	case *conversation.Read:
		if ahead(c.Seq) {
			return refusal{conversation.ErrInvalid, "read.seq"}
		}
		a.mark(c.User, mark{what: "read", seq: c.Seq, at: now})
	case *conversation.Deliver:
		if ahead(c.Seq) {
			return refusal{conversation.ErrInvalid, "deliver.seq"}
		}
		if m := a.members[c.User]; a.policy.ReceiptsUpTo == 0 || uint64(face.members) <= a.policy.ReceiptsUpTo {
			m.delivered = max(m.delivered, c.Seq)
			a.members[c.User] = m
		}
	case *conversation.MarkUnread:
		if c.Seq > face.last || (c.Seq > 0 && face.last-c.Seq >= knownSenders) {
			return refusal{conversation.ErrInvalid, "mark_unread.seq"}
		}
		if a.revise(c.User, p.Revision) {
			a.mark(c.User, mark{what: "unread", seq: c.Seq})
		}
	case *conversation.Clear:
		if ahead(c.Seq) {
			return refusal{conversation.ErrInvalid, "clear.seq"}
		}
		what := "clear"
		if c.Hide {
			what = "clear and hide"
		}
		a.mark(c.User, mark{what: what, seq: c.Seq})
	case *conversation.Set:
		if a.revise(c.User, p.Revision) {
			a.set(c, now)
		}
	case *conversation.Hold:
		if a.held && !c.On {
			a.released = now
		}
		a.held = c.On
	case *conversation.Delete:
		switch {
		case p.IfGeneration == 0:
			return refusal{conversation.ErrInvalid, "if_generation"}
		case a.held:
			return refusal{kind: conversation.ErrHeld}
		}
		a.deleted = now
	}
	return refusal{}
}

func orNext(seq, last uint64) uint64 {
	if seq == 0 {
		return last + 1
	}
	return seq
}

func (a *account) post(p *conversation.Post, now int64) {
	sent, last := now, max(a.face().last, p.Seq)
	if slices.ContainsFunc(a.posts, func(s said) bool { return s.Seq == p.Seq && s.known && s.Sender == nobody && last-s.Seq < knownSenders }) {
		return
	}
	if !p.SentAt.IsZero() {
		sent = min(now, p.SentAt.UnixMicro())
	}
	repeat := slices.ContainsFunc(a.posts, func(s said) bool { return s.Seq == p.Seq })
	if !repeat {
		s := said{p, now, sent, last-p.Seq < knownMarks, last-p.Seq < knownSenders}
		gone := slices.ContainsFunc(a.amends, func(b *conversation.Amend) bool { return b.Seq == p.Seq && b.Retracted })
		if s.known || (s.marks && (p.MentionAll || (p.Silent && !gone))) {
			a.noted++
		}
		a.posts = append(a.posts, s)
	}
	for i, user := range append([]string{p.Sender}, p.Members...) {
		m, ok := a.members[user]
		switch named := i > 0; {
		case !ok:
			m.from = p.Seq
		case m.left && named && p.Seq > m.leftAt:
			m.left, m.keep, m.from = false, false, p.Seq
		case !m.left && p.Seq > m.leftAt && (named || m.leftAt == 0):
			m.from = min(m.from, p.Seq)
		}
		a.members[user] = m
	}
	if !p.Unattended && (!repeat || last-p.Seq >= knownSenders) {
		a.mark(p.Sender, mark{what: "wrote", seq: p.Seq, at: now})
	}
	for _, user := range p.Mentions {
		if m, ok := a.members[user]; ok && (!m.left || p.Seq <= m.leftAt) && user != p.Sender {
			a.mark(user, mark{what: "named", seq: p.Seq})
		}
	}
}

func (a *account) mark(user string, k mark) {
	m := a.members[user]
	m.marks = append(m.marks, k)
	a.members[user] = m
}

// revise says whether a change of a member's is new, and remembers it.
func (a *account) revise(user string, revision uint64) bool {
	m := a.members[user]
	if revision != 0 && revision <= m.revision {
		return false
	}
	m.revision = max(m.revision, revision)
	a.members[user] = m
	return true
}

func (a *account) join(user string, revision, visibleFrom, unreadFrom uint64) {
	m, ok := a.members[user]
	if (ok && !a.revise(user, revision)) || (ok && !m.left) {
		return
	}
	m.left, m.keep, m.from, m.revision = false, false, visibleFrom, max(m.revision, revision)
	a.members[user] = m
	a.mark(user, mark{what: "joined", seq: unreadFrom - 1})
}

func (a *account) leave(user string, revision uint64, keep bool, last uint64) {
	m, ok := a.members[user]
	if (!ok && revision == 0) || (ok && !a.revise(user, revision)) {
		return
	}
	if !ok {
		m.from = last + 1
	}
	if !m.left {
		m.leftAt, m.frozen = last, a.face().ordered
	}
	m.left, m.keep, m.revision = true, keep, max(m.revision, revision)
	a.members[user] = m
}

func (a *account) set(c *conversation.Set, now int64) {
	if c.Hide != nil && *c.Hide != a.hidden(c.User) {
		a.mark(c.User, mark{what: "hide", seq: a.face().loud, hide: *c.Hide})
	}
	m := a.members[c.User]
	if c.Pin != nil {
		m.set.pin = *c.Pin
	}
	if c.Tags != nil {
		m.set.tags = *c.Tags
	}
	if c.MutedUntil != nil {
		m.set.muted = max(0, c.MutedUntil.UnixMicro())
	}
	if c.Custom != nil {
		m.set.custom = string(c.Custom)
	}
	if c.Draft != nil {
		edited := now
		if !c.Draft.EditedAt.IsZero() {
			edited = min(now, c.Draft.EditedAt.UnixMicro())
		}
		if !m.set.draft || edited > m.set.edits {
			m.set.draft, m.set.edits, m.set.text = true, edited, string(c.Draft.Text)
		}
	}
	a.members[c.User] = m
}

// copy returns an account that goes its own way. Of the two only one may go on: the lists are shared.
func (a *account) copy() *account {
	c := *a
	if a.life != nil {
		l := *a.life
		l.members = maps.Clone(l.members)
		c.life = &l
	}
	return &c
}
