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
}

type life struct {
	born, over persistence.Instant
	base       uint64 // the last message of the life before, where a join began this one
	said       map[uint64]utterance
	people     map[string]*person
}

type utterance struct {
	*conversation.Post

	heard persistence.Instant // when it was first proposed
}

type person struct {
	in, keep               bool
	entered                []uint64 // the messages with which they came, this time
	left                   uint64   // the last message when they left last
	read, cleared, hid, at []uint64 // all marks there ever were; at: messages that name them
	revision               uint64
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
	if len(times) == 0 || l.base > 0 {
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

func (m *model) alive(now persistence.Instant) bool { return m.life != nil && now < m.life.over }

func (m *model) begin(now persistence.Instant, base uint64) {
	m.floor = m.reached
	m.life = &life{born: now, over: now.Add(time.Hour), base: base, said: map[uint64]utterance{}, people: map[string]*person{}}
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
	case *conversation.Read:
		p := m.life.people[c.User]
		if p == nil || !p.in && !p.keep {
			return true
		}
		p.read = append(p.read, c.Seq)
	case *conversation.Clear:
		p := m.life.people[c.User]
		if p == nil || !p.in && !p.keep {
			return true
		}
		p.cleared = append(p.cleared, c.Seq)
		if c.Hide {
			p.hid = append(p.hid, c.Seq)
		}
	case *conversation.Delete:
		if ifGeneration == 0 {
			return true
		}
		m.life.over = now
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
	case *conversation.Clear:
		return c.Seq
	}
	return 0
}

func (l *life) post(c *conversation.Post, now persistence.Instant) {
	if !c.Silent && c.Seq > l.loudest() {
		l.over = now.Add(time.Hour)
	}
	if _, heard := l.said[c.Seq]; !heard {
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
	if p := l.people[c.Sender]; !c.Unattended {
		p.read = append(p.read, c.Seq)
	}
	for _, user := range c.Mentions {
		if p := l.people[user]; p != nil && user != c.Sender && (p.in || c.Seq <= p.left) {
			p.at = append(p.at, c.Seq)
		}
	}
}

func (l *life) join(p *person, c *conversation.Join, revision uint64) {
	if revision != 0 && revision <= p.revision {
		return
	}
	p.revision = max(p.revision, revision)
	if p.in {
		return
	}
	next := func(seq uint64) uint64 {
		if seq == 0 {
			return l.last() + 1
		}
		return seq
	}
	p.in, p.keep, p.entered = true, false, []uint64{next(c.VisibleFrom)}
	p.read = append(p.read, next(c.UnreadFrom)-1)
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
		p.left = l.last()
	}
	p.in, p.keep = false, keep
}
