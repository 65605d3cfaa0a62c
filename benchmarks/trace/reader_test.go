package trace_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/benchmarks/trace"
)

const small = trace.Header + `
1519660926,1,1,1,20,
1519661181,3,1,2,28,1
1519661181,3,2,3,0,1 2 4294967295
1519661182,1,2,3,25,
`

var smallRows = []trace.Row{
	{Second: 1519660926, Conversation: 1, Seq: 1, Sender: 1, Bytes: 20},
	{Second: 1519661181, Conversation: 3, Seq: 1, Sender: 2, Bytes: 28, Mentions: []uint32{1}},
	{Second: 1519661181, Conversation: 3, Seq: 2, Sender: 3, Bytes: 0, Mentions: []uint32{1, 2, 4294967295}},
	{Second: 1519661182, Conversation: 1, Seq: 2, Sender: 3, Bytes: 25},
}

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll returns copies of the rows up to the first error, which is nil at the end of the trace.
func readAll(r *trace.Reader) ([]trace.Row, error) {
	var rows []trace.Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		copied := *row
		copied.Mentions = append([]uint32(nil), row.Mentions...)
		rows = append(rows, copied)
	}
}

func readText(text []byte) ([]trace.Row, error) {
	r, err := trace.NewReader("trace.csv", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return readAll(r)
}

func TestEveryRowIsReadAsItWasWritten(t *testing.T) {
	for name, text := range map[string][]byte{
		"plain":                   []byte(small),
		"gzip":                    zip(t, small),
		"gzip in two parts":       append(zip(t, small[:70]), zip(t, small[70:])...),
		"last line without end":   []byte(strings.TrimSuffix(small, "\n")),
		"carriage returns":        []byte(strings.ReplaceAll(small, "\n", "\r\n")),
		"gzip, carriage returns":  zip(t, strings.ReplaceAll(small, "\n", "\r\n")),
		"gzip, last line the end": zip(t, strings.TrimSuffix(small, "\n")),
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := readText(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(smallRows, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATraceOfAHeaderAloneHasNoRows(t *testing.T) {
	for _, text := range []string{trace.Header, trace.Header + "\n"} {
		if rows, err := readText([]byte(text)); err != nil || len(rows) != 0 {
			t.Errorf("%q: got %d rows and error %v, want none of either", text, len(rows), err)
		}
	}
}

func TestAMalformedRowIsNamedByLineAndColumn(t *testing.T) {
	const good = trace.Header + "\n100,1,1,1,5,\n200,1,2,1,5,\n"
	for name, test := range map[string]struct{ text, want string }{
		"empty file":      {"", `trace.csv:1:1: expected the header ` + trace.Header + `, got an empty file`},
		"no header":       {"100,1,1,1,5,\n", `trace.csv:1:1: expected the header ` + trace.Header + `, got "100,1,1,1,5,"`},
		"empty line":      {good + "\n", `trace.csv:4:2: expected 6 fields, got 1`},
		"field missing":   {good + "300,1,3,1,5\n", `trace.csv:4:6: expected 6 fields, got 5`},
		"field too many":  {good + "300,1,3,1,5,,\n", `trace.csv:4:7: expected 6 fields, got 7`},
		"time no number":  {good + "x,1,3,1,5,\n", `trace.csv:4:1: unix_seconds: expected a number from 1 to 253402300799, got "x"`},
		"time zero":       {good + "0,1,3,1,5,\n", `trace.csv:4:1: unix_seconds: expected a number from 1 to 253402300799, got "0"`},
		"time negative":   {good + "-1,1,3,1,5,\n", `trace.csv:4:1: unix_seconds: expected a number from 1 to 253402300799, got "-1"`},
		"time too late":   {good + "253402300800,1,3,1,5,\n", `trace.csv:4:1: unix_seconds: expected a number from 1 to 253402300799, got "253402300800"`},
		"time goes back":  {good + "199,1,3,1,5,\n", `trace.csv:4:1: unix_seconds: expected a time not before 200, the line above's, got 199`},
		"conversation 0":  {good + "300,0,3,1,5,\n", `trace.csv:4:2: conversation: expected a number from 1 to 4294967295, got "0"`},
		"conversation 33": {good + "300,4294967296,3,1,5,\n", `trace.csv:4:2: conversation: expected a number from 1 to 4294967295, got "4294967296"`},
		"seq no number":   {good + "300,1,x,1,5,\n", `trace.csv:4:3: seq: expected a number from 1, got "x"`},
		"seq empty":       {good + "300,1,,1,5,\n", `trace.csv:4:3: seq: expected a number from 1, got ""`},
		"seq zero":        {good + "300,1,0,1,5,\n", `trace.csv:4:3: seq: expected a number from 1, got "0"`},
		"seq 65 bits":     {good + "300,1,18446744073709551616,1,5,\n", `trace.csv:4:3: seq: expected a number from 1, got "18446744073709551616"`},
		"seq repeated":    {good + "300,1,2,1,5,\n", `trace.csv:4:3: seq: expected 3, the next of conversation 1, got 2`},
		"seq left out":    {good + "300,1,4,1,5,\n", `trace.csv:4:3: seq: expected 3, the next of conversation 1, got 4`},
		"seq not from 1":  {good + "300,2,2,1,5,\n", `trace.csv:4:3: seq: expected 1, the next of conversation 2, got 2`},
		"sender":          {good + "300,1,3, 1,5,\n", `trace.csv:4:4: sender: expected a number from 1 to 4294967295, got " 1"`},
		"bytes":           {good + "300,1,3,1,5.0,\n", `trace.csv:4:5: bytes: expected a number from 0 to 4294967295, got "5.0"`},
		"mention":         {good + "300,1,3,1,5,u1\n", `trace.csv:4:6: mentions: expected numbers from 1 to 4294967295 with single spaces between, got "u1"`},
		"mention zero":    {good + "300,1,3,1,5,0\n", `trace.csv:4:6: mentions: expected numbers from 1 to 4294967295 with single spaces between, got "0"`},
		"two spaces":      {good + "300,1,3,1,5,1  2\n", `trace.csv:4:6: mentions: expected numbers from 1 to 4294967295 with single spaces between, got "1  2"`},
		"trailing space":  {good + "300,1,3,1,5,1 \n", `trace.csv:4:6: mentions: expected numbers from 1 to 4294967295 with single spaces between, got "1 "`},
		"binary":          {good + "300,1,3,\xff\x00,5,\n", `trace.csv:4:4: sender: expected a number from 1 to 4294967295, got "\xff\x00"`},
		"line too long":   {good + "300,1,3,1,5," + strings.Repeat("1 ", 1<<16) + "\n", `trace.csv:4:1: expected a line of at most 65536 bytes, got a longer one`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readText([]byte(test.text))
			if _, ok := errors.AsType[*trace.Error](err); !ok {
				t.Fatalf("got %v, which is no *trace.Error", err)
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

func TestTheRowsAboveAMalformedOneAreRead(t *testing.T) {
	rows, err := readText([]byte(small + "1519661183,1,3,1,x,\n"))
	if err == nil {
		t.Fatal("the malformed row was taken")
	}
	if diff := cmp.Diff(smallRows, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestACutOffGzipIsAnErrorWhereverItWasCut(t *testing.T) {
	whole := zip(t, small)
	for cut := 2; cut < len(whole); cut++ {
		_, err := readText(whole[:cut])
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("cut after %d of %d bytes: got error %v", cut, len(whole), err)
		}
	}
}

func TestADamagedGzipIsAnError(t *testing.T) {
	whole := zip(t, small)
	whole[len(whole)-6] ^= 1 // in the checksum
	if _, err := readText(whole); !errors.Is(err, gzip.ErrChecksum) {
		t.Errorf("got error %v, want %v", err, gzip.ErrChecksum)
	}
}

func TestPositionReachesTheSizeOfTheFile(t *testing.T) {
	for name, text := range map[string][]byte{"plain": []byte(small), "gzip": zip(t, small)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trace")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := trace.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := readAll(r)
			if err != nil || len(rows) != len(smallRows) {
				t.Fatalf("got %d rows and error %v", len(rows), err)
			}
			if read, size := r.Position(); read != int64(len(text)) || size != int64(len(text)) {
				t.Errorf("position %d of %d, want %d of %d", read, size, len(text), len(text))
			}
			if r.Line() != len(smallRows)+1 {
				t.Errorf("line %d, want %d", r.Line(), len(smallRows)+1)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenNamesAFileThatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "missing.csv"), dir} {
		if _, err := trace.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v", path, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	text.WriteString(trace.Header + "\n")
	const rows = 10_000
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d,%d,%d,120,7 8\n", 1519660926+i, i%100+1, i/100+1, i%50+1)
	}
	b.ReportAllocs()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if got, err := readCount(text.Bytes()); err != nil || got != rows {
			b.Fatalf("read %d rows, error %v", got, err)
		}
	}
}

func readCount(text []byte) (int, error) {
	r, err := trace.NewReader("trace.csv", bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}
