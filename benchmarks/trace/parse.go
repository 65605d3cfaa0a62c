package trace

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// lastSecond is the end of the year 9999, the last that times are stored of.
const lastSecond = 253402300799

// The positions of the fields.
const (
	colSecond = iota + 1
	colConversation
	colSeq
	colSender
	colBytes
	colMentions
)

// parse fills the reader's row from a line.
func (r *Reader) parse(line []byte) error {
	if n := bytes.Count(line, []byte{','}) + 1; n != fields {
		// The first field that is missing, or the first there is one too many of.
		return r.malformed(min(n, fields)+1, "", fmt.Sprintf("%d fields", fields), strconv.Itoa(n))
	}
	var values [colMentions]uint64
	for column := colSecond; column < colMentions; column++ {
		field, rest, _ := bytes.Cut(line, []byte{','})
		low, high := limits(column)
		v, ok := number(field, high)
		if !ok || v < low {
			return r.malformed(column, fieldName(column), expectation(low, high), quote(field))
		}
		values[column], line = v, rest
	}
	if second := int64(values[colSecond]); second < r.row.Second {
		return r.malformed(colSecond, fieldName(colSecond),
			fmt.Sprintf("a time not before %d, the line above's", r.row.Second), strconv.FormatInt(second, 10))
	}
	conversation, seq := uint32(values[colConversation]), values[colSeq]
	if last := r.last[conversation]; seq != last+1 {
		return r.malformed(colSeq, fieldName(colSeq),
			fmt.Sprintf("%d, the next of conversation %d", last+1, conversation), strconv.FormatUint(seq, 10))
	}
	if err := r.parseMentions(line); err != nil {
		return err
	}
	r.last[conversation] = seq
	r.row.Second = int64(values[colSecond])
	r.row.Conversation, r.row.Seq = conversation, seq
	r.row.Sender, r.row.Bytes = uint32(values[colSender]), uint32(values[colBytes])
	return nil
}

func (r *Reader) parseMentions(field []byte) error {
	r.row.Mentions = r.row.Mentions[:0]
	for rest, more := field, len(field) > 0; more; {
		var user []byte
		user, rest, more = bytes.Cut(rest, []byte{' '})
		v, ok := number(user, math.MaxUint32)
		if !ok || v < 1 {
			return r.malformed(colMentions, fieldName(colMentions), "numbers from 1 to 4294967295 with single spaces between", quote(field))
		}
		r.row.Mentions = append(r.row.Mentions, uint32(v))
	}
	return nil
}

func fieldName(column int) string { return strings.Split(Header, ",")[column-1] }

// limits returns the lowest and the highest value of a numeric field.
func limits(column int) (low, high uint64) {
	switch column {
	case colSecond:
		return 1, lastSecond
	case colSeq:
		return 1, math.MaxUint64
	case colBytes:
		return 0, math.MaxUint32
	default:
		return 1, math.MaxUint32
	}
}

func expectation(low, high uint64) string {
	if high == math.MaxUint64 {
		return fmt.Sprintf("a number from %d", low)
	}
	return fmt.Sprintf("a number from %d to %d", low, high)
}

// number reads a decimal number of digits alone, at most high.
func number(digits []byte, high uint64) (uint64, bool) {
	if len(digits) == 0 {
		return 0, false
	}
	var v uint64
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 || v > (high-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}
