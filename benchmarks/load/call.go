package load

import "time"

// call is what was planned for one moment and is not answered yet. The recorder has all of them in a list, so that those which never are can be counted for as long as they took so far.
type call struct {
	planned        time.Duration // since the beginning
	proposals      int           // 0: it is a question what changed
	part           *part
	previous, next *call
}

// calls is a ring of calls around one that is none.
type calls struct{ root call }

func newCalls() *calls {
	c := &calls{}
	c.root.previous, c.root.next = &c.root, &c.root
	return c
}

func (l *calls) add(c *call) {
	c.previous, c.next = l.root.previous, &l.root
	c.previous.next, c.next.previous = c, c
}

// remove reports whether it was there.
func (l *calls) remove(c *call) bool {
	if c.next == nil {
		return false
	}
	c.previous.next, c.next.previous = c.next, c.previous
	c.previous, c.next = nil, nil
	return true
}

// first returns nil where there is none.
func (l *calls) first() *call {
	if l.root.next == &l.root {
		return nil
	}
	return l.root.next
}
