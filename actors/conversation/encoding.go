package conversation

import "sync"

// encoding is rows on their way into writes, which share memory, a few of them at a time: an allocation for each key and value would cost more than encoding them.
type encoding struct {
	bytes []byte   // of the last writes, which have no memory yet
	ends  []rowEnd // likewise
}

// encodings are at rest, and have room for the rows of a pair.
var encodings = sync.Pool{New: func() any { //nolint:gochecknoglobals // as pools are meant to be used
	return &encoding{bytes: make([]byte, 0, 768), ends: make([]rowEnd, 0, 4)}
}}

// rowEnd is where a row's key and its value end.
type rowEnd struct{ key, value int }

// sharedBytes is about how much rows share: as long as one of them is kept, all of it is.
const sharedBytes = 2048

// add adds the write of a row that was appended to the bytes, where its key ends at a place.
func (e *encoding) add(writes []Write, key int, user string) []Write {
	writes = append(writes, Write{User: user})
	e.ends = append(e.ends, rowEnd{key, len(e.bytes)})
	if len(e.bytes) >= sharedBytes {
		e.settle(writes)
	}
	return writes
}

// settle gives the last writes memory of their own.
func (e *encoding) settle(writes []Write) {
	memory, from := make([]byte, len(e.bytes)), 0
	copy(memory, e.bytes)
	last := writes[len(writes)-len(e.ends):]
	for i, end := range e.ends {
		last[i].Key, last[i].Value = memory[from:end.key:end.key], memory[end.key:end.value:end.value]
		from = end.value
	}
	e.bytes, e.ends = e.bytes[:0], e.ends[:0]
}
