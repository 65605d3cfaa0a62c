package actors

import (
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// committed is a change as it is kept for watchers.
type committed struct {
	journal.Change

	at persistence.Instant
}

// size is about how many bytes it takes.
func (c *committed) size() int {
	n := 128 + len(c.Conversation) + len(c.Origin)
	for _, user := range c.Users {
		n += 16 + len(user)
	}
	return n
}

// bytesEach is how large the changes of a full ring may be on average: where they are larger, fewer are kept.
const bytesEach = 256

// ring keeps the latest changes, each at its position; positions are counted from 1 and never used twice. Its memory grows with what it holds, up to its bound.
type ring struct {
	most  int
	items []committed // circular: position p is at p % len(items)
	first uint64      // the position of the oldest that is kept
	end   uint64      // the position of the next that will come
	bytes int
}

func newRing(most int) ring { return ring{most: most, first: 1, end: 1} }

func (r *ring) at(position uint64) *committed { return &r.items[position%uint64(len(r.items))] }

// push adds a change and forgets the oldest ones where there are too many.
func (r *ring) push(c committed) {
	if n := int(r.end - r.first); n == len(r.items) && n < r.most {
		r.grow(min(r.most, max(64, 2*n)))
	}
	if int(r.end-r.first) == r.most {
		r.drop()
	}
	*r.at(r.end) = c
	r.end++
	for r.bytes += c.size(); r.bytes > r.most*bytesEach && r.end-r.first > 1; {
		r.drop()
	}
}

func (r *ring) drop() {
	oldest := r.at(r.first)
	r.bytes -= oldest.size()
	*oldest = committed{}
	r.first++
}

func (r *ring) grow(size int) {
	old := *r
	r.items = make([]committed, size)
	for p := r.first; p < r.end; p++ {
		*r.at(p) = *old.at(p)
	}
}

// skip forgets everything and leaves a position out, so that whoever has read everything so far is told that something is missing.
func (r *ring) skip() {
	r.items, r.bytes = nil, 0
	r.end++
	r.first = r.end
}

// read appends up to n changes from a position on. Where the first of them are gone, it begins with the oldest that is kept, and says so.
func (r *ring) read(into []committed, from uint64, n int) (changes []committed, begin uint64, gap bool) {
	begin = max(from, r.first)
	for p := begin; p < r.end && len(into) < n; p++ {
		into = append(into, *r.at(p))
	}
	return into, begin, begin > from
}
