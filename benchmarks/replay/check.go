package replay

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/benchmarks/oracle"
	"github.com/parley-im/parley/persistence"
)

// Difference is one thing that the engine did otherwise than the trace says.
type Difference struct {
	Conversation string
	At           time.Time // virtual; differences are told in the order of this
	What         string
}

// String returns the difference as a sentence without its full stop.
func (d *Difference) String() string {
	return fmt.Sprintf("%s: %s: %s", d.At.UTC().Format(time.RFC3339Nano), d.Conversation, d.What)
}

// alive is a generation that the engine still has at the end.
type alive struct {
	generation uint64
	lastSeq    uint64
	expiresAt  time.Time
}

// verdict is the outcome of a comparison.
type verdict struct {
	falseExpiries  int
	missedExpiries int
	first          *Difference
}

// compare holds what the engine ended and what it has left, by number of the conversation, against the oracle.
func compare(o *oracle.Oracle, ends []ended, left map[uint32]alive) verdict {
	byConversation := make(map[uint32][]ended)
	for _, e := range ends {
		number := conversationNumber(e.conversation)
		byConversation[number] = append(byConversation[number], e)
	}
	var v verdict
	for conversation := range o.Conversations {
		c := comparison{verdict: &v, oracle: o, conversation: conversation}
		c.generations(byConversation[conversation])
		life, ok := left[conversation]
		c.present(life, ok)
		delete(byConversation, conversation)
	}
	for _, unknown := range byConversation {
		for _, e := range unknown {
			v.falseExpiry(e.conversation, e.deadline, e.describe()+", but the trace has no such conversation")
		}
	}
	return v
}

// comparison is that of one conversation.
type comparison struct {
	*verdict
	oracle       *oracle.Oracle
	conversation uint32

	highest uint64 // generation ended so far
	told    bool   // what became of the oracle's last generation was told as a difference
}

// generations matches the ended generations with those of the oracle, both in their order, by the last message.
func (c *comparison) generations(ends []ended) {
	slices.SortFunc(ends, func(a, b ended) int { return cmp.Compare(a.generation, b.generation) })
	lives := c.oracle.Lives(c.conversation)
	for len(ends) > 0 || len(lives) > 0 {
		switch {
		case len(ends) > 0 && (len(lives) == 0 || ends[0].lastSeq < lives[0].LastSeq):
			c.falseExpiry(ends[0].conversation, ends[0].deadline,
				ends[0].describe()+", but in the trace no generation ends with that message")
			c.highest = max(c.highest, ends[0].generation)
			ends = ends[1:]
		case len(ends) == 0 || ends[0].lastSeq > lives[0].LastSeq:
			c.missing(lives[0])
			lives = lives[1:]
		default:
			c.match(ends[0], lives[0])
			ends, lives = ends[1:], lives[1:]
		}
	}
}

// match holds an ended generation against the oracle's with the same last message.
func (c *comparison) match(e ended, g oracle.Generation) {
	due := c.oracle.End(g)
	switch {
	case !c.oracle.Expired(g):
		c.told = true
		c.falseExpiry(e.conversation, e.deadline, fmt.Sprintf("%s, but in the trace it lives until %s", e.describe(), stamp(due)))
	case !e.deadline.Equal(due):
		c.falseExpiry(e.conversation, earlier(e.deadline, due), fmt.Sprintf("%s, but in the trace it ends at %s", e.describe(), stamp(due)))
	case e.lateness < 0:
		c.falseExpiry(e.conversation, e.deadline, fmt.Sprintf("%s and was deleted %v before", e.describe(), -e.lateness))
	case e.reason != persistence.ReasonExpired:
		c.falseExpiry(e.conversation, e.deadline, fmt.Sprintf("%s with reason %v, want %v", e.describe(), e.reason, persistence.ReasonExpired))
	case e.generation <= c.highest:
		c.falseExpiry(e.conversation, e.deadline, fmt.Sprintf("%s, but generation %d came before it", e.describe(), c.highest))
	}
	c.highest = max(c.highest, e.generation)
}

// missing reports an oracle's generation that the engine did not end, if it should have.
func (c *comparison) missing(g oracle.Generation) {
	if !c.oracle.Expired(g) {
		return
	}
	c.told = g.Order == len(c.oracle.Lives(c.conversation))
	due := c.oracle.End(g)
	c.missedExpiry(conversationName(c.conversation), due,
		fmt.Sprintf("generation %d of the trace ends at %s with message %d, but the engine did not delete it", g.Order, stamp(due), g.LastSeq))
}

// present holds what the engine shows of the conversation at the end against the oracle's last generation.
func (c *comparison) present(life alive, found bool) {
	lives := c.oracle.Lives(c.conversation)
	g := lives[len(lives)-1]
	due, name := c.oracle.End(g), conversationName(c.conversation)
	switch {
	case c.told, !found && c.oracle.Expired(g):
	case c.oracle.Expired(g):
		c.missedExpiry(name, due, fmt.Sprintf("expired at %s, but the engine shows generation %d with message %d", stamp(due), life.generation, life.lastSeq))
	case !found:
		c.falseExpiry(name, due, fmt.Sprintf("lives until %s in the trace, but the engine does not know it", stamp(due)))
	case life.lastSeq != g.LastSeq:
		c.falseExpiry(name, due, fmt.Sprintf("the engine shows message %d as its last, the trace has %d", life.lastSeq, g.LastSeq))
	case !life.expiresAt.Equal(due):
		c.falseExpiry(name, earlier(life.expiresAt, due),
			fmt.Sprintf("the engine would end it at %s, in the trace it lives until %s", stamp(life.expiresAt), stamp(due)))
	case life.generation <= c.highest:
		c.falseExpiry(name, due, fmt.Sprintf("the engine shows generation %d, but has ended generation %d", life.generation, c.highest))
	}
}

func (v *verdict) falseExpiry(conversation string, at time.Time, what string) {
	v.falseExpiries++
	v.note(&Difference{Conversation: conversation, At: at, What: what})
}

func (v *verdict) missedExpiry(conversation string, at time.Time, what string) {
	v.missedExpiries++
	v.note(&Difference{Conversation: conversation, At: at, What: what})
}

// note keeps the first difference: the earliest, and of those at the same time the one whose conversation's name is lowest.
func (v *verdict) note(d *Difference) {
	if v.first == nil || cmp.Or(d.At.Compare(v.first.At), cmp.Compare(d.Conversation, v.first.Conversation)) < 0 {
		v.first = d
	}
}

func (e *ended) describe() string {
	return fmt.Sprintf("generation %d expired at %s with message %d", e.generation, stamp(e.deadline), e.lastSeq)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
