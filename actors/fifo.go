package actors

// fifo is a queue in one slice. It gives memory back once it has run empty after a burst.
type fifo[T any] struct {
	items []T
	head  int
}

// keptRoom is how many places an empty fifo keeps.
const keptRoom = 16

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(item T) {
	if q.head > 0 && len(q.items) == cap(q.items) && q.head >= len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// unshift puts an item before all others.
func (q *fifo[T]) unshift(item T) {
	if q.head == 0 {
		q.items = append(q.items, item)
		copy(q.items[1:], q.items)
		q.items[0] = item
		return
	}
	q.head--
	q.items[q.head] = item
}

// pop takes the first item. There must be one.
func (q *fifo[T]) pop() T {
	item := q.items[q.head]
	q.drop(1)
	return item
}

// drop takes the first n items out. There must be as many.
func (q *fifo[T]) drop(n int) {
	clear(q.items[q.head : q.head+n])
	q.head += n
	if q.head == len(q.items) {
		q.head = 0
		q.items = q.items[:0]
		if cap(q.items) > keptRoom {
			q.items = nil
		}
	}
}

// peek returns up to n of the first items. They stay in the queue, and are good until it is changed.
func (q *fifo[T]) peek(n int) []T { return q.items[q.head:min(q.head+n, len(q.items))] }

// take empties the queue and returns what was in it.
func (q *fifo[T]) take() []T {
	items := q.items[q.head:]
	q.items, q.head = nil, 0
	return items
}
