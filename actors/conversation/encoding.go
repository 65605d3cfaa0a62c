package conversation

import (
	"bytes"
)

// encoding is rows on their way into writes, which share memory, a few of them at a time: an allocation for each key and value would cost more than encoding them.
type encoding struct {
	writes []Write
	bytes  []byte   // of those that are not in writes yet, or have no memory there
	ends   []rowEnd // likewise
}

// rowEnd is where a row's key and its value end.
type rowEnd struct{ key, value int }

// sharedBytes is about how much rows share: as long as one of them is kept, all of it is.
const sharedBytes = 2048

// add says that a row was appended to the bytes, whose key ends there.
func (e *encoding) add(key int, user string) {
	e.writes = append(e.writes, Write{User: user})
	e.ends = append(e.ends, rowEnd{key, len(e.bytes)})
	if len(e.bytes) >= sharedBytes {
		e.settle()
	}
}

// settle gives the rows memory of their own.
func (e *encoding) settle() {
	memory, from := bytes.Clone(e.bytes), 0
	last := e.writes[len(e.writes)-len(e.ends):]
	for i, end := range e.ends {
		last[i].Key, last[i].Value = memory[from:end.key:end.key], memory[end.key:end.value:end.value]
		from = end.value
	}
	e.bytes, e.ends = e.bytes[:0], e.ends[:0]
}
