package trace_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/parley-im/parley/benchmarks/trace"
)

// FuzzReader reads whatever bytes there may be: rows come in order, of each conversation one after the other, until the end or an error that names the line.
func FuzzReader(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(small + "1519661182,1,3,0,25,\n"))
	f.Add([]byte(small + "1519661182,1,3,1,25,1  2\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := trace.NewReader("fuzz", bytes.NewReader(data))
		if err != nil {
			return
		}
		last := map[uint32]uint64{}
		var second int64
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if at, ok := errors.AsType[*trace.Error](err); ok && at.Line != r.Line() {
					t.Errorf("after line %d: %+v", r.Line(), at)
				}
				return
			}
			if row.Second < second || row.Seq != last[row.Conversation]+1 || row.Sender == 0 {
				t.Fatalf("line %d is read as %+v after second %d and seq %d", r.Line(), row, second, last[row.Conversation])
			}
			second, last[row.Conversation] = row.Second, row.Seq
		}
	})
}
