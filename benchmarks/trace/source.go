package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// Open opens a trace file. The caller closes the reader. A header that is missing or another one is an *[Error].
func Open(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory, not a trace", path)
	}
	if err == nil {
		var r *Reader
		if r, err = NewReader(path, file); err == nil {
			r.file, r.size = file, info.Size()
			return r, nil
		}
	}
	_ = file.Close() // it was only read, and there is a better error
	return nil, err
}

// NewReader returns a reader of the trace in source; name stands for it in errors. It reads the header at once.
func NewReader(name string, source io.Reader) (*Reader, error) {
	r := &Reader{name: name, last: make(map[uint32]uint64)}
	r.raw.source = source
	text := bufio.NewReaderSize(&r.raw, maxLine)
	if magic, _ := text.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		r.gzipped = true
		unzipped, err := gzip.NewReader(text)
		if err != nil {
			return nil, r.unreadable(err)
		}
		text = bufio.NewReaderSize(unzipped, maxLine)
	}
	r.text = text
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	return r, nil
}

// counter counts what was read from its source.
type counter struct {
	source io.Reader
	bytes  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.source.Read(p)
	c.bytes += int64(n)
	return n, err
}
