package actors_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// The users of a campaign. The last never takes part.
var people = []string{"ann", "bob", "cid", "dan", "eve", "nobody"}

// crowd makes a conversation too large for a roster.
var crowd = func() (users []string) {
	for i := range persistence.MaxRoster {
		users = append(users, fmt.Sprintf("of the crowd %d", i))
	}
	return users
}()

// source draws proposals to one conversation: mostly what a host would send, much of it late, twice and out of order.
type source struct {
	*rand.Rand

	name     string
	next     uint64               // the host's log goes on here
	log      []*conversation.Post // the latest messages, some of which were not proposed yet
	sent     []*actors.Proposal   // the latest proposals
	revision uint64
}

const remembered = 24

func (s *source) one(n int) bool { return s.IntN(n) == 0 }

func (s *source) user() string { return people[s.IntN(len(people)-1)] }

func (s *source) users(n int) []string {
	names := make([]string, s.IntN(n+1))
	for i := range names {
		names[i] = s.user()
	}
	return names
}

// draw returns the next proposal to a conversation that is as the model says.
func (s *source) draw(a *account, now int64) *actors.Proposal {
	if len(s.sent) > 0 && s.one(8) {
		return s.again(s.sent[s.IntN(len(s.sent))])
	}
	p := &actors.Proposal{Conversation: s.name, Ack: actors.Ack(s.IntN(3))}
	last, alive := uint64(0), a.alive(now)
	if a.life != nil {
		last = a.reached()
	}
	switch {
	case alive && len(a.posts) > 40 && s.one(2):
		p.Change, p.IfGeneration = s.end(a)
	default:
		p.Change = s.change(p, last, alive)
	}
	_, deletes := p.Change.(*conversation.Delete)
	if a.life != nil && a.generation > 0 { // the engine has told it by now
		switch {
		case deletes && !s.one(10):
			p.IfGeneration = a.generation
		case s.one(30):
			p.IfGeneration = a.generation - uint64(s.IntN(2))
		}
	}
	if s.sent = append(s.sent, p); len(s.sent) > remembered {
		s.sent = s.sent[1:]
	}
	return p
}

// again is the same proposal once more, perhaps with another ack level.
func (s *source) again(p *actors.Proposal) *actors.Proposal {
	q := *p
	q.Ack = actors.Ack(s.IntN(3))
	return &q
}

// end keeps histories short.
func (s *source) end(a *account) (conversation.Change, uint64) {
	if a.held {
		return &conversation.Hold{}, 0
	}
	return &conversation.Delete{}, a.generation
}

func (s *source) change(p *actors.Proposal, last uint64, alive bool) conversation.Change {
	n := s.IntN(100)
	if !alive && s.one(2) {
		n = s.IntN(60) // something that may begin a generation
	}
	switch {
	case n < 45:
		return s.post()
	case n < 52:
		p.Revision = s.revised()
		if s.one(12) {
			if s.one(2) {
				return &conversation.Leave{Users: crowd, Keep: s.one(2)}
			}
			return &conversation.Join{Users: crowd}
		}
		return &conversation.Join{Users: append(s.users(2), s.user()), VisibleFrom: s.seqOrZero(last), UnreadFrom: s.seqOrZero(last)}
	case n < 58:
		p.Revision = s.revised()
		return &conversation.Leave{Users: append(s.users(1), s.user()), Keep: s.one(2)}
	case n < 68:
		return &conversation.Read{User: s.user(), Seq: s.seq(last)}
	case n < 73:
		return &conversation.Deliver{User: s.user(), Seq: s.seq(last)}
	case n < 79:
		p.Revision = s.revised()
		return &conversation.MarkUnread{User: s.user(), Seq: s.seqOrZero(last)}
	case n < 84:
		return &conversation.Clear{User: s.user(), Seq: s.seq(last), Hide: s.one(2)}
	case n < 90:
		p.Revision = s.revised()
		return s.set()
	case n < 95:
		amend := &conversation.Amend{Seq: s.seq(last), Retracted: s.one(2)}
		if s.one(2) {
			amend.Preview = fmt.Append([]byte{}, "edited ", s.IntN(3))[:s.IntN(9)]
		}
		return amend
	case n < 98:
		return &conversation.Hold{On: s.one(4)}
	default:
		return &conversation.Delete{}
	}
}

// revised is the next revision, or one of those before, or none.
func (s *source) revised() uint64 {
	switch s.IntN(4) {
	case 0:
		s.revision++
		return s.revision
	case 1:
		return max(1, s.revision) - min(uint64(s.IntN(4)), s.revision/2)
	}
	return 0
}

// seq is a message near the last, seldom far away or too far ahead.
func (s *source) seq(last uint64) uint64 {
	switch s.IntN(40) {
	case 0:
		return last + maxJump - 1 + uint64(s.IntN(4))
	case 1:
		return max(1, last-min(last, 250+uint64(s.IntN(12))))
	case 2:
		return max(1, last-min(last, 1018+uint64(s.IntN(12))))
	}
	return max(1, last+2-min(last+1, uint64(s.IntN(12))))
}

func (s *source) seqOrZero(last uint64) uint64 {
	if s.one(2) {
		return 0
	}
	return s.seq(last)
}

// post is the next message of the log, or one of the latest. What a message says does not change.
func (s *source) post() *conversation.Post {
	if len(s.log) > 0 && s.one(4) {
		return s.log[s.IntN(len(s.log))]
	}
	for {
		s.next++
		if far := s.IntN(800); far < 3 {
			s.next += []uint64{254, 1022, maxJump - 3}[far] + uint64(s.IntN(5))
		}
		p := &conversation.Post{
			Seq: s.next, Sender: s.user(), Mentions: s.users(1), Members: s.users(2),
			MentionAll: s.one(8), Silent: s.one(5), Unattended: s.one(6),
		}
		if s.one(2) {
			p.Preview = fmt.Appendf(nil, "message %d", p.Seq)
		}
		if s.one(2) {
			p.SentAt = time.Now().Add(time.Duration(s.IntN(400)-300) * time.Millisecond)
		}
		if s.log = append(s.log, p); len(s.log) > remembered {
			s.log = s.log[1:]
		}
		if !s.one(8) { // otherwise it comes later, or never
			return p
		}
	}
}

func (s *source) set() *conversation.Set {
	c := &conversation.Set{User: s.user()}
	if s.one(3) {
		c.Pin = new(uint64(s.IntN(3)))
	}
	if s.one(3) {
		until := []time.Time{{}, time.UnixMicro(0), time.Now().Add(time.Second), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}[s.IntN(4)]
		c.MutedUntil = &until
	}
	if s.one(3) {
		c.Hide = new(persistence.Hide(s.IntN(3)))
	}
	if s.one(3) {
		c.Tags = new(uint64(s.IntN(4)))
	}
	if s.one(3) {
		c.Custom = bytes.Repeat([]byte("c"), s.IntN(3))
	}
	if s.one(3) {
		c.Draft = &conversation.Draft{Text: bytes.Repeat([]byte("d"), s.IntN(3))}
		if s.one(2) {
			c.Draft.EditedAt = time.Now().Add(time.Duration(s.IntN(40)-30) * time.Millisecond)
		}
	}
	return c
}
