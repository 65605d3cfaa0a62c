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
	Names   []string
	users   []string
	members int
}

// NewPopulation returns n conversations of so many members each, at least one.
func NewPopulation(n, members int) *Population {
	return &Population{Names: numbered("room:", n), users: numbered("user-", max(16, n*members/conversationsOfUser)), members: members}
}

// numbered returns n names. They are parts of one string, so that a collection, which is measured, does not see them one by one.
func numbered(prefix string, n int) []string {
	var all []byte
	ends := make([]int, n)
	for i := range ends {
		all = strconv.AppendInt(append(all, prefix...), int64(i), 10)
		ends[i] = len(all)
	}
	names, whole, begin := make([]string, n), string(all), 0
	for i, end := range ends {
		names[i], begin = whole[begin:end], end
	}
	return names
}

// Sender returns who posts to a conversation.
func (p *Population) Sender(i int) string { return p.users[i%len(p.users)] }

// First returns the post that begins a conversation with its members.
func (p *Population) First(i int) *actors.Proposal {
	others := make([]string, p.members-1)
	for m := range others {
		others[m] = p.users[(i+m+1)%len(p.users)]
	}
	first := p.Post(i, 1, actors.AckCommitted)
	first.Change.(*conversation.Post).Members = others //nolint:errcheck,forcetypeassert // Post makes no other
	return first
}

// Post returns a post to a conversation.
func (p *Population) Post(i int, seq uint64, ack actors.Ack) *actors.Proposal {
	return &actors.Proposal{
		Conversation: p.Names[i],
		Change:       &conversation.Post{Seq: seq, Sender: p.Sender(i), Preview: preview()},
		Ack:          ack,
	}
}
