package actors_test

import (
	"fmt"
	"math/bits"

	"github.com/anishathalye/porcupine"
)

// The sequential specification of one conversation, as small as it can be and still tell one order of changes from another: who takes part, what they have read and
// cleared, and hence what they are shown. It has at most 63 messages, so that sets of messages are words.

const (
	readers  = 3 // users of a conversation
	messages = 63
)

// request is one call. Its verb is "post", "join", "leave", "read", "clear" or "get".
type request struct {
	conversation string
	verb         string
	user         int // for get also readers: nobody in particular
	seq          uint64
}

// answer is what the call returned. Where it is unknown, anything may have happened, now, later or never.
type answer struct {
	unknown bool
	found   bool // false: refused with not found
	last    uint64
	changed bool
	members int
	member  bool
	seat    seat
	unread  int
}

// seat is a user's part in a conversation.
type seat struct {
	in, left      bool
	from, leftAt  uint64
	read, cleared uint64
}

// room is the state: comparable, so that == tells two apart.
type room struct {
	born  bool
	last  uint64
	said  uint64 // messages that found their place
	own   [readers]uint64
	seats [readers]seat
}

// linear is the specification as the checker takes it. Calls to different conversations have nothing to do with each other.
func linear() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byName := map[string][]porcupine.Operation{}
			for _, op := range history {
				name := asRequest(op.Input).conversation
				byName[name] = append(byName[name], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range byName {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return room{} },
		Step: func(state, input, output any) (bool, any) {
			next, want := asRoom(state).step(asRequest(input))
			got := asAnswer(output)
			return got.unknown || got == want, next
		},
		DescribeOperation: func(input, output any) string {
			q := asRequest(input)
			return fmt.Sprintf("%s user %d seq %d → %+v", q.verb, q.user, q.seq, asAnswer(output))
		},
		DescribeState: func(state any) string { return fmt.Sprintf("%+v", asRoom(state)) },
	}
}

func asRequest(v any) request { r, _ := v.(request); return r }
func asAnswer(v any) answer   { a, _ := v.(answer); return a }
func asRoom(v any) room       { r, _ := v.(room); return r }

// step returns the state after a call, and its answer.
func (r room) step(q request) (room, answer) {
	before := r
	if begins := q.verb == "post" || q.verb == "join"; !r.born && !begins {
		return r, answer{}
	}
	r.born = true
	var s *seat
	if q.user < readers {
		s = &r.seats[q.user]
	}
	bit := uint64(1) << q.seq
	switch q.verb {
	case "post":
		r.last = max(r.last, q.seq)
		if r.said&bit == 0 {
			r.said |= bit
			r.own[q.user] |= bit
			s.read = max(s.read, q.seq)
		}
		switch {
		case !s.in:
			s.in, s.from = true, q.seq
		case !s.left && s.leftAt == 0:
			s.from = min(s.from, q.seq)
		}
	case "join":
		if !s.in || s.left {
			s.in, s.left, s.from, s.read = true, false, r.last+1, max(s.read, r.last)
		}
	case "leave":
		if s.in && !s.left {
			s.left, s.leftAt = true, r.last
		}
	default:
		if q.verb != "get" && (!s.in || s.left) {
			return r, answer{}
		}
		if q.verb == "read" {
			s.read = max(s.read, q.seq)
		} else if q.verb == "clear" {
			s.cleared = max(s.cleared, q.seq)
		}
	}
	a := answer{found: true, last: r.last, changed: r != before, members: r.members()}
	if s != nil && q.verb != "post" {
		a.show(r, q)
	}
	if q.verb != "get" {
		a.members = 0 // replies do not say
	}
	return r, a
}

func (r room) members() (n int) {
	for _, s := range r.seats {
		if s.in && !s.left {
			n++
		}
	}
	return n
}

// show adds what a user is shown of themselves.
func (a *answer) show(r room, q request) {
	s := r.seats[q.user]
	if !s.in {
		return
	}
	upTo := r.last
	if s.left {
		upTo = min(upTo, s.leftAt)
		if q.verb == "get" {
			a.last = upTo
		}
	} else {
		s.leftAt = 0 // of an earlier time: not shown
	}
	s.left = s.leftAt > 0
	a.member, a.seat = true, s
	if after := max(s.read, s.cleared, s.from-1); after < upTo {
		window := (uint64(1)<<(upTo+1) - 1) &^ (uint64(1)<<(after+1) - 1)
		a.unread = int(upTo-after) - bits.OnesCount64(r.own[q.user]&window)
	}
}
