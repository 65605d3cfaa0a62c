package actors

import (
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// lookedAt is how many memberships are read before others get their turn.
const lookedAt = 64

// lookingThrough finds out who of a conversation's members has something unread, for a judgement that depends on it. It reads their memberships in pages, each a task of the loaders that goes to
// the end of their queue, so that nobody waits longer for a conversation to become active; no actor waits for it. What has changed meanwhile is the state's to know.
type lookingThrough struct {
	engine    *Engine
	judgement *judgement
	question  *conversation.Question
	cell      *cell    // whose actor asks: it stays until it was answered
	users     []string // who are left; nil: they have not been asked for
	begun     bool
}

// lookThrough has a judgement made again once its question was answered.
func (e *Engine) lookThrough(m *judgement, question *conversation.Question, c *cell) {
	c.asking.Add(1)
	e.loaders.push(&lookingThrough{engine: e, judgement: m, question: question, cell: c})
}

func (l *lookingThrough) run() {
	user, found, err := l.page()
	if err == nil && !found && len(l.users) > 0 {
		l.engine.loaders.push(l)
		return
	}
	defer l.cell.asking.Add(-1)
	if err != nil {
		l.judgement.fail(l.engine, err)
	} else {
		again := &judgement{
			conversation: l.judgement.conversation, generation: l.judgement.generation, due: l.judgement.due, attempt: l.judgement.attempt,
			answer: &conversation.Answer{Question: l.question, User: user},
		}
		if refused := l.engine.send(again.conversation, again); refused != nil {
			again.fail(l.engine, refused)
		}
	}
}

// page looks at the next few members, and returns the first who has something unread.
func (l *lookingThrough) page() (user string, found bool, err error) {
	e, name := l.engine, l.judgement.conversation
	if !l.begun {
		if l.users, err = e.memberNames(e.ctx, name, l.question.Generation, ""); err != nil {
			return "", false, err
		}
		at, _ := slices.BinarySearch(l.users, l.question.After)
		l.users, l.begun = slices.Concat(l.users[at:], l.users[:at]), true
	}
	users := l.users[:min(lookedAt, len(l.users))]
	l.users = l.users[len(users):]
	keys := [][]byte{persistence.HeadKey(name), persistence.TailKey(name)}
	for _, user := range users {
		keys = append(keys, persistence.MembershipKey(user, name))
	}
	values, err := e.newest(e.ctx, name, keys...)
	if err != nil {
		return "", false, err
	}
	rows, ok, err := conversation.Decode(values[0], values[1], nil, 0)
	if err != nil || !ok {
		l.users = nil
		return "", false, err
	}
	for i, user := range users {
		if err := rows.SetMembership(values[2+i]); err != nil {
			return "", false, err
		}
		if rows.HasUnread(user) {
			return user, true, nil
		}
	}
	return "", false, nil
}
