package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLine is the longest line, newline included.
const maxLine = 64 << 10

// Reader reads a trace row by row and checks it on the way. It is for one goroutine.
type Reader struct {
	name    string
	file    *os.File // nil: somebody else's
	size    int64
	raw     counter
	gzipped bool
	text    *bufio.Reader

	line int
	row  Row
	last map[uint32]uint64 // by conversation, the seq last read
}

// Next returns the next row, which is valid until Next is called again, and [io.EOF] behind the last. A malformed row is an *[Error]; after any
// error there is no use in going on.
func (r *Reader) Next() (*Row, error) {
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	if err := r.parse(line); err != nil {
		return nil, err
	}
	return &r.row, nil
}

// Line returns the number of the line that Next read last, from 1.
func (r *Reader) Line() int { return r.line }

// Position returns how many bytes of the file were read, compressed ones if it is, and its size; the size is 0 where it is not known.
func (r *Reader) Position() (read, size int64) { return r.raw.bytes, r.size }

// Close closes the file if Open opened it.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}

func (r *Reader) readHeader() error {
	line, err := r.readLine()
	if errors.Is(err, io.EOF) {
		return r.malformed(1, "", "the header "+Header, "an empty file")
	}
	if err != nil {
		return err
	}
	if string(line) != Header {
		return r.malformed(1, "", "the header "+Header, quote(line))
	}
	return nil
}

// readLine returns the next line without its end, valid until it is called again.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.text.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return nil, io.EOF
	}
	r.line++
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, r.malformed(1, "", fmt.Sprintf("a line of at most %d bytes", maxLine), "a longer one")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, r.unreadable(err)
	}
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}

// unreadable says how far a file could be read that cannot be read on.
func (r *Reader) unreadable(err error) error {
	switch {
	case r.gzipped && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the gzip data ends early, in line %d: the file was cut off (%w)", r.name, r.line, err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the gzip data is damaged, near line %d (%w)", r.name, r.line, err)
	}
	return fmt.Errorf("%s: reading line %d: %w", r.name, r.line, err)
}

func (r *Reader) malformed(column int, field, expected, got string) error {
	return &Error{File: r.name, Line: max(r.line, 1), Column: column, Field: field, Expected: expected, Got: got}
}

// quote returns text in quotes, cut to what fits a line of a terminal.
func quote(text []byte) string {
	const enough = 60
	if len(text) > enough {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(string(text[:enough]), "?"))
	}
	return fmt.Sprintf("%q", text)
}
