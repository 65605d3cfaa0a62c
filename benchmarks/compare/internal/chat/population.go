package chat

import (
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

// names are parts of one string, and where they end in it: however many they are, a collection, which is measured, sees two objects without a pointer.
type names struct {
	whole string
	ends  []uint32
}

func numbered(prefix string, n int) names {
	var whole []byte
	ends := make([]uint32, n)
	for i := range ends {
		whole = strconv.AppendInt(append(whole, prefix...), int64(i), 10)
		ends[i] = uint32(len(whole))
	}
	return names{string(whole), ends}
}

func (n *names) at(i int) string {
	begin := uint32(0)
	if i > 0 {
		begin = n.ends[i-1]
	}
	return n.whole[begin:n.ends[i]]
}

// Len returns how many conversations there are.
func (p *Population) Len() int { return len(p.names.ends) }

// Name returns a conversation's.
func (p *Population) Name(i int) string { return p.names.at(i) }

// Sender returns who posts to a conversation.
func (p *Population) Sender(i int) string { return p.user(i) }

func (p *Population) user(i int) string { return p.users.at(i % len(p.users.ends)) }

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
