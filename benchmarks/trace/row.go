package trace

import (
	"fmt"
	"time"
)

// Header is the first line of every trace.
const Header = "unix_seconds,conversation,seq,sender,bytes,mentions"

// fields is how many values a line has.
const fields = 6

// Row is one message.
type Row struct {
	Second       int64    // when it was sent, in seconds since the Unix epoch
	Conversation uint32   // from 1
	Seq          uint64   // 1, 2, 3, … within the conversation
	Sender       uint32   // from 1
	Bytes        uint32   // length of the text
	Mentions     []uint32 // users named
}

// At returns when the message was sent.
func (r *Row) At() time.Time { return time.Unix(r.Second, 0).UTC() }

// Error says where a trace is malformed and what was expected there.
type Error struct {
	File     string // as it was given to Open or NewReader
	Line     int    // from 1; of the uncompressed text
	Column   int    // from 1; the position of the field in its line, not of a byte
	Field    string // its name in the header; "" for what concerns no single field
	Expected string
	Got      string
}

// Error returns, for example: trace.csv:17:3: seq: expected a number from 1, got "x".
func (e *Error) Error() string {
	field := e.Field
	if field != "" {
		field += ": "
	}
	return fmt.Sprintf("%s:%d:%d: %sexpected %s, got %s", e.File, e.Line, e.Column, field, e.Expected, e.Got)
}
