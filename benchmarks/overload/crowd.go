package overload

import (
	"bytes"
	"strconv"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// crowd makes the posts, to each of its conversations in turn. It belongs to one goroutine.
type crowd struct {
	names []string
	seqs  []uint64
	next  int
	ack   actors.Ack
	said  []byte
}

func newCrowd(n int, ack actors.Ack) *crowd {
	c := &crowd{names: make([]string, n), seqs: make([]uint64, n), ack: ack, said: preview()}
	for i := range c.names {
		c.names[i] = name(i)
		c.seqs[i] = 1 // which began it
	}
	return c
}

func name(i int) string { return "room:" + strconv.Itoa(i) }

// preview returns that of every post.
func preview() []byte { return bytes.Repeat([]byte("so it is "), 8) }

// stride is from one conversation to the next: neighbours in time are none in the store. It is prime to any usual number of conversations.
const stride = 7_919

func (c *crowd) post() *actors.Proposal {
	c.next = (c.next + stride) % len(c.names)
	c.seqs[c.next]++
	return &actors.Proposal{Conversation: c.names[c.next], Change: &conversation.Post{Seq: c.seqs[c.next], Sender: "ann", Preview: c.said}, Ack: c.ack}
}
