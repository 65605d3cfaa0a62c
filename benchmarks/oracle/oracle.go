// Package oracle tells from a trace alone when each conversation should live and expire.
//
// It is the other opinion that a replay is checked against, so it shares no code with the engine: it knows nothing of clocks, timers, due
// entries and stores. Its rule is the whole of what retention promises. A generation ends at the moment when its last message is expire-after
// old; a message at or after that moment begins the next generation. At a time T, a generation has expired if its end is not after T.
package oracle

import (
	"fmt"
	"time"
)

// Generation is one life of a conversation.
type Generation struct {
	Order        int    // 1 for the conversation's first, 2 for its second, …
	FirstSeq     uint64 // the message that began it
	LastSeq      uint64 // its last one
	LastActivity int64  // when that was, in seconds since the Unix epoch
}

// Oracle is given the messages of a trace one by one. It is for one goroutine.
type Oracle struct {
	expireAfter   int64 // microseconds
	last          int64 // second of the last message given
	messages      int
	conversations map[uint32][]Generation
}

// New returns an oracle for a retention, which must be positive and a whole number of microseconds.
func New(expireAfter time.Duration) (*Oracle, error) {
	if expireAfter <= 0 || expireAfter%time.Microsecond != 0 {
		return nil, fmt.Errorf("expire-after: must be positive and a whole number of microseconds, is %v", expireAfter)
	}
	return &Oracle{expireAfter: expireAfter.Microseconds(), conversations: make(map[uint32][]Generation)}, nil
}

// Message says that a message was sent. Messages come in the order of their times.
func (o *Oracle) Message(conversation uint32, seq uint64, second int64) {
	o.messages++
	o.last = second
	lives := o.conversations[conversation]
	if n := len(lives); n > 0 && second*1e6 < o.end(lives[n-1]) {
		lives[n-1].LastSeq, lives[n-1].LastActivity = seq, second
		return
	}
	o.conversations[conversation] = append(lives, Generation{Order: len(lives) + 1, FirstSeq: seq, LastSeq: seq, LastActivity: second})
}

// end returns when a generation ends unless another message comes, in microseconds since the Unix epoch. An int64 holds it for any retention:
// a time.Duration reaches 292 years, and these microseconds 292,000.
func (o *Oracle) end(g Generation) int64 { return g.LastActivity*1e6 + o.expireAfter }

// End returns when a generation ends, or will unless another message comes.
func (o *Oracle) End(g Generation) time.Time { return time.UnixMicro(o.end(g)).UTC() }

// Expired reports whether a generation has ended by the time of the last message given.
func (o *Oracle) Expired(g Generation) bool { return o.end(g) <= o.last*1e6 }

// Lives returns the generations of a conversation, oldest first. The slice is the oracle's own and good until the next message.
func (o *Oracle) Lives(conversation uint32) []Generation { return o.conversations[conversation] }

// Conversations calls yield with each conversation, in no order, until it returns false.
func (o *Oracle) Conversations(yield func(conversation uint32) bool) {
	for conversation := range o.conversations {
		if !yield(conversation) {
			return
		}
	}
}

// Totals counts what a trace holds.
type Totals struct {
	Messages      int
	Conversations int
	Generations   int
	Expired       int // generations that have ended by the time of the last message
	Alive         int // the others
}

// Totals counts what was given so far.
func (o *Oracle) Totals() Totals {
	totals := Totals{Messages: o.messages, Conversations: len(o.conversations)}
	for _, lives := range o.conversations {
		totals.Generations += len(lives)
		for _, g := range lives {
			if o.Expired(g) {
				totals.Expired++
			}
		}
	}
	totals.Alive = totals.Generations - totals.Expired
	return totals
}
