package workload

import (
	"errors"
	"fmt"
	"io"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/trace"
)

// recorded is a trace in memory, without pointers: a row has a place in each of the first two, and its mentions are those from its own mark to the next.
type recorded struct {
	conversations, senders []uint32
	marks                  []uint32
	mentions               []uint32

	highestConversation, highestUser uint32
	next                             int
}

// readTrace reads a trace to its end. Users whom a message mentions beyond what a post may name are left out.
func readTrace(reader *trace.Reader) (*recorded, error) {
	r := &recorded{marks: []uint32{0}}
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		r.conversations, r.senders = append(r.conversations, row.Conversation), append(r.senders, row.Sender)
		mentions := row.Mentions[:min(len(row.Mentions), conversation.MaxMentions)]
		r.mentions = append(r.mentions, mentions...)
		r.marks = append(r.marks, uint32(len(r.mentions)))
		r.highestConversation, r.highestUser = max(r.highestConversation, row.Conversation), max(r.highestUser, row.Sender)
		for _, user := range mentions {
			r.highestUser = max(r.highestUser, user)
		}
	}
	if len(r.conversations) == 0 {
		return nil, &FieldError{Field: "trace", Reason: "there is no message in it"}
	}
	if r.highestConversation > maxConversations || r.highestUser > maxUsers {
		return nil, &FieldError{Field: "trace", Reason: fmt.Sprintf("its numbers go up to %d and %d, which is more than fits in memory", r.highestConversation, r.highestUser)}
	}
	return r, nil
}

// row returns the next message.
func (r *recorded) row() (id, sender int, mentions []uint32) {
	i := r.next
	if r.next++; r.next == len(r.conversations) {
		r.next = 0
	}
	return int(r.conversations[i]), int(r.senders[i]), r.mentions[r.marks[i]:r.marks[i+1]]
}
