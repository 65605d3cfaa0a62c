package chat

import (
	"fmt"
	"strconv"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// conversationsOfUser is about how many conversations each user is a member of.
const conversationsOfUser = 200

// Population is the conversations of a comparison, numbered from 0, and their members. It is not changed once made.
type Population struct {
	names, users names
	members      int
}

// NewPopulation returns n conversations of so many members each, at least one.
func NewPopulation(n, members int) *Population {
	return &Population{names: numbered("room:", n), users: numbered("user-", max(16, n*members/conversationsOfUser)), members: members}
}

// names are parts of one string, all of one length: however many they are, a collection, which is measured, sees one object without a pointer, and to find one takes one look at memory.
type names struct {
	whole     string
	n, length int
}

func numbered(prefix string, n int) names {
	digits := len(strconv.Itoa(n - 1))
	whole := make([]byte, 0, n*(len(prefix)+digits))
	for i := range n {
		whole = fmt.Appendf(whole, "%s%0*d", prefix, digits, i)
	}
	return names{string(whole), n, len(prefix) + digits}
}

func (n *names) at(i int) string {
	return n.whole[i*n.length : (i+1)*n.length]
}

// Len returns how many conversations there are.
func (p *Population) Len() int { return p.names.n }

// Name returns a conversation's.
func (p *Population) Name(i int) string { return p.names.at(i) }

// Sender returns who posts to a conversation.
func (p *Population) Sender(i int) string { return p.user(i) }

func (p *Population) user(i int) string { return p.users.at(i % p.users.n) }

// First returns the post that begins a conversation with its members.
func (p *Population) First(i int) *actors.Proposal {
	others := make([]string, p.members-1)
	for m := range others {
		others[m] = p.user(i + m + 1)
	}
	first := p.Post(i, 1, actors.AckCommitted)
	first.Change.(*conversation.Post).Members = others //nolint:errcheck,forcetypeassert // Post makes no other
	return first
}

// Post returns a post to a conversation.
func (p *Population) Post(i int, seq uint64, ack actors.Ack) *actors.Proposal {
	return &actors.Proposal{
		Conversation: p.Name(i),
		Change:       &conversation.Post{Seq: seq, Sender: p.Sender(i), Preview: preview()},
		Ack:          ack,
	}
}
