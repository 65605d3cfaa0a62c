package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// format is the version that every value written now starts with. A value with a higher one was written by a newer program.
const format = 1

// Errors of decoding.
var (
	// ErrValue says that a value is not what its format version promises.
	ErrValue = errors.New("persistence: malformed value")
	// ErrNewerFormat says that a value, or a whole store, was written by a newer program.
	ErrNewerFormat = errors.New("persistence: written in a newer format than this program reads")
)

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendInstant(b []byte, i Instant) []byte { return binary.AppendVarint(b, int64(i)) }

// decoder reads the fields of a value one after the other. The first fault sticks: every later read gives zero and the fault is returned by done.
type decoder struct {
	rest []byte
	err  error
}

// decode starts on a value: it checks its format version.
func decode(value []byte) decoder {
	d := decoder{rest: value}
	if v := d.byte(); d.err == nil && v != format {
		if v > format {
			d.err = fmt.Errorf("%w: value has version %d, this program reads %d", ErrNewerFormat, v, format)
		} else {
			d.fail()
		}
	}
	return d
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = ErrValue
	}
	d.rest = nil
}

func (d *decoder) done() error {
	if d.err == nil && len(d.rest) != 0 {
		d.fail()
	}
	return d.err
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) instant() Instant {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return Instant(v)
}

func (d *decoder) fixed64() uint64 {
	if len(d.rest) < 8 {
		d.fail()
		return 0
	}
	v := binary.BigEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return v
}

// raw returns the next length-prefixed bytes, still part of the value.
func (d *decoder) raw() []byte {
	n := d.uint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) string() string { return string(d.raw()) }

func (d *decoder) bytes() []byte {
	if b := d.raw(); len(b) > 0 {
		return append([]byte(nil), b...)
	}
	return nil
}

// strings reads a list of at most so many strings, which share their memory.
func (d *decoder) strings(most int) []string {
	n := d.count()
	if n > most {
		d.fail()
	}
	from := d.rest
	for range n {
		d.raw()
	}
	if n == 0 || d.err != nil {
		return nil
	}
	list, all := make([]string, n), string(from[:len(from)-len(d.rest)])
	for i := range list {
		size, width := binary.Uvarint(from)
		list[i] = all[width : width+int(size)]
		from, all = from[width+int(size):], all[width+int(size):]
	}
	return list
}

// count reads the length of a list whose items take at least one byte each.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}
