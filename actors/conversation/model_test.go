package conversation_test

import (
	"maps"
	"slices"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// model is what a conversation should be, said in another way: it keeps everything that happened in a life and counts anew whenever it is asked.
type model struct {
	life    *life
	reached uint64 // by all lives before
	floor   uint64 // what of that is known while a later life lasts
	keeps   bool   // what somebody has unread: a life is over when that is found out
}

type life struct {
	born, over persistence.Instant
	stirred    persistence.Instant // when the last message that prolonged it was proposed
	held       bool
	ended      bool   // deleted, or found to be over
	base       uint64 // the last message of the life before, where a join began this one
	said       map[uint64]utterance
	retracted  map[uint64]bool
	amended    map[uint64]string // previews that took the place of those said
	people     map[string]*person
}

type utterance struct {
	*conversation.Post

	heard persistence.Instant // when it was first proposed
}

type person struct {
	in, keep               bool
	entered                []uint64            // the messages with which they came, this time
	left                   uint64              // the last message when they left last
	frozen                 persistence.Instant // the last activity at that time
	read, cleared, hid, at []uint64            // all marks that count; at: messages that name them
	delivered              []uint64            // also what was ever read
	marked, always         bool                // unread; hidden
	revision               uint64
	settings
	drafts []conversation.Draft // every edit, cut to when it came
}

// settings are those where the last one given is the one that counts.
type settings struct {
	pin, tags uint64
	muted     persistence.Instant
	custom    string
}

func (p *person) reads(seq uint64) {
	p.read, p.delivered = append(p.read, seq), append(p.delivered, seq)
}

func (p *person) readTo() uint64 { return slices.Max(append([]uint64{0}, p.read...)) }

// draft is the text of the newest edit.
func (p *person) draft() string {
	if len(p.drafts) == 0 {
		return ""
	}
	return string(slices.MaxFunc(p.drafts, func(a, b conversation.Draft) int { return a.EditedAt.Compare(b.EditedAt) }).Text)
}

// outdated reports whether a newer revision was seen, and remembers this one.
func (p *person) outdated(revision uint64) bool {
	if revision != 0 && revision <= p.revision {
		return true
	}
	p.revision = max(p.revision, revision)
	return false
}

func (l *life) last() uint64 {
	return max(l.base, slices.Max(append(slices.Collect(maps.Keys(l.said)), 0)))
}

// loudest is the last message that was not silent.
func (l *life) loudest() uint64 {
	last := l.base
	for seq, u := range l.said {
		if !u.Silent {
			last = max(last, seq)
		}
	}
	return last
}

func (l *life) active() persistence.Instant {
	var times []persistence.Instant
	for _, u := range l.said {
		switch {
		case u.Silent:
		case u.SentAt.IsZero():
			times = append(times, u.heard)
		default:
			times = append(times, min(u.heard, persistence.InstantOf(u.SentAt)))
		}
	}
	if len(times) == 0 {
		times = append(times, l.born)
	}
	return slices.Max(times)
}

func (l *life) person(user string) *person {
	if l.people[user] == nil {
		l.people[user] = &person{}
	}
	return l.people[user]
}

func (l *life) members() (n uint64) {
	for _, p := range l.people {
		if p.in {
			n++
		}
	}
	return n
}

func (m *model) alive(now persistence.Instant) bool {
	return m.life != nil && !m.life.ended && (m.keeps || now < m.life.over)
}

// ripe reports whether a life must be found to be over, once somebody looks.
func (m *model) ripe(now persistence.Instant) bool {
	if !m.keeps || !m.alive(now) {
		return !m.alive(now)
	}
	for user, p := range m.life.people {
		if p.in && m.glimpse(user, now).Unread > 0 {
			return false
		}
	}
	return now >= m.life.over
}

func (m *model) begin(now persistence.Instant, base uint64) {
	m.floor = m.reached
	m.life = &life{
		born: now, over: now.Add(time.Hour), stirred: now, base: base,
		said: map[uint64]utterance{}, retracted: map[uint64]bool{}, amended: map[uint64]string{}, people: map[string]*person{},
	}
}

// apply reports whether the change is to be refused.
func (m *model) apply(change conversation.Change, revision, ifGeneration uint64, now persistence.Instant) (refused bool) {
	alive := m.alive(now)
	post, isPost := change.(*conversation.Post)
	if _, isJoin := change.(*conversation.Join); !alive && !isPost && !isJoin {
		return true
	}
	if !alive && isPost && post.Seq <= m.reached || alive && isPost && post.Seq <= m.floor {
		return false
	}
	if !alive && isPost {
		m.begin(now, 0)
	} else if limit := m.reached + modelJump; furthest(change) > limit {
		return true
	} else if !alive {
		m.begin(now, m.reached)
	}
	switch c := change.(type) {
	case *conversation.Post:
		m.life.post(c, now)
		m.reached = m.life.last()
	case *conversation.Join:
		for _, user := range c.Users {
			m.life.join(m.life.person(user), c, revision)
		}
	case *conversation.Leave:
		for _, user := range c.Users {
			m.life.leave(user, c.Keep, revision)
		}
	case *conversation.Amend:
		if c.Seq > m.floor {
			return m.life.amend(c)
		}
	case *conversation.Hold:
		m.life.hold(c.On, now)
	case *conversation.Delete:
		if ifGeneration == 0 || m.life.held {
			return true
		}
		m.life.over, m.life.ended = now, true
	default:
		user, _ := conversation.Subject(change)
		p := m.life.people[user]
		return p == nil || !p.in && !p.keep || m.life.own(p, change, revision, now)
	}
	return false
}

// own applies what a member does for themselves.
func (l *life) own(p *person, change conversation.Change, revision uint64, now persistence.Instant) (refused bool) {
	switch c := change.(type) {
	case *conversation.Read:
		p.reads(c.Seq)
		p.marked = false
	case *conversation.Deliver:
		if l.members() <= modelReceipts {
			p.delivered = append(p.delivered, c.Seq)
		}
	case *conversation.MarkUnread:
		switch {
		case c.Seq > l.last():
			return true
		case p.outdated(revision):
		case c.Seq == 0 || c.Seq > p.readTo():
			p.marked = true
		default:
			p.marked = true
			p.read = append(slices.DeleteFunc(p.read, func(seq uint64) bool { return seq >= c.Seq }), c.Seq-1)
		}
	case *conversation.Clear:
		p.cleared = append(p.cleared, c.Seq)
		if c.Hide && !p.always {
			p.hid = append(p.hid, c.Seq)
		}
	case *conversation.Set:
		if !p.outdated(revision) {
			l.set(p, c, now)
		}
	}
	return false
}

// furthest is the highest message that a change names.
func furthest(change conversation.Change) uint64 {
	switch c := change.(type) {
	case *conversation.Post:
		return c.Seq
	case *conversation.Join:
		return max(c.VisibleFrom, c.UnreadFrom)
	case *conversation.Read:
		return c.Seq
	case *conversation.Deliver:
		return c.Seq
	case *conversation.Clear:
		return c.Seq
	}
	return 0
}

func (l *life) amend(c *conversation.Amend) (refused bool) {
	if c.Seq > l.last() {
		return true
	}
	if c.Preview != nil && c.Seq == l.last() {
		l.amended[c.Seq] = string(c.Preview)
	}
	if c.Retracted {
		l.retracted[c.Seq] = true
	}
	return false
}

func (l *life) hold(on bool, now persistence.Instant) {
	switch {
	case on:
		l.over = persistence.Never
	case l.held:
		l.over = max(now, l.stirred.Add(time.Hour))
	}
	l.held = on
}

// hiding is how the conversation is hidden from the person now.
func (l *life) hiding(p *person) persistence.Hide {
	loud := l.loudest()
	if !p.in {
		loud = min(loud, p.left)
	}
	switch {
	case p.always:
		return persistence.HideAlways
	case len(p.hid) > 0 && loud <= slices.Max(p.hid):
		return persistence.HideUntilMessage
	}
	return persistence.HideNone
}

func (l *life) set(p *person, c *conversation.Set, now persistence.Instant) {
	if c.Hide != nil && *c.Hide != l.hiding(p) {
		p.always, p.hid = *c.Hide == persistence.HideAlways, nil
		if *c.Hide == persistence.HideUntilMessage {
			p.hid = []uint64{l.loudest()}
		}
	}
	if c.Pin != nil {
		p.pin = *c.Pin
	}
	if c.Tags != nil {
		p.tags = *c.Tags
	}
	if c.MutedUntil != nil {
		p.muted = persistence.InstantOf(*c.MutedUntil)
	}
	if c.Custom != nil {
		p.custom = string(c.Custom)
	}
	if c.Draft != nil {
		d := *c.Draft
		if d.EditedAt.IsZero() || d.EditedAt.After(now.Time()) {
			d.EditedAt = now.Time()
		}
		p.drafts = append(p.drafts, d)
	}
}

func (l *life) post(c *conversation.Post, now persistence.Instant) {
	if !c.Silent && c.Seq > l.loudest() {
		l.stirred = now
		if !l.held {
			l.over = now.Add(time.Hour)
		}
	}
	_, repeat := l.said[c.Seq]
	if !repeat {
		l.said[c.Seq] = utterance{c, now}
	}
	for _, user := range append([]string{c.Sender}, c.Members...) {
		p, known := l.people[user]
		named := slices.Contains(c.Members, user)
		switch {
		case !known:
			l.person(user).in, l.person(user).entered = true, []uint64{c.Seq}
		case !p.in && named && c.Seq > p.left:
			p.in, p.keep, p.entered = true, false, []uint64{c.Seq}
		case p.in && c.Seq > p.left && (named || p.left == 0):
			p.entered = append(p.entered, c.Seq)
		}
	}
	if p := l.people[c.Sender]; !c.Unattended && !repeat {
		p.marked = p.marked && c.Seq <= p.readTo()
		p.reads(c.Seq)
	}
	for _, user := range c.Mentions {
		if p := l.people[user]; p != nil && user != c.Sender && (p.in || c.Seq <= p.left) {
			p.at = append(p.at, c.Seq)
		}
	}
}

func (l *life) join(p *person, c *conversation.Join, revision uint64) {
	if p.outdated(revision) || p.in {
		return
	}
	next := func(seq uint64) uint64 {
		if seq == 0 {
			return l.last() + 1
		}
		return seq
	}
	p.in, p.keep, p.entered = true, false, []uint64{next(c.VisibleFrom)}
	p.reads(next(c.UnreadFrom) - 1)
}

func (l *life) leave(user string, keep bool, revision uint64) {
	p := l.people[user]
	if p == nil && revision == 0 || p != nil && revision != 0 && revision <= p.revision {
		return
	}
	if p == nil {
		p = l.person(user)
		p.in, p.entered = true, []uint64{l.last() + 1}
	}
	p.revision = max(p.revision, revision)
	if p.in {
		p.left, p.frozen = l.last(), l.active()
	}
	p.in, p.keep = false, keep
}
