package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

func scanTests() []suiteTest {
	return []suiteTest{
		{"rows come in the order of their keys, from Start up to but without End", func(s *subject) {
			s.acquire(1)
			keys := []string{"xa", "xa\x00", "xa\x00\xff", "xa\x01", "xaa", "xb", "xb\xff", "xb\xff\xff", "xc"}
			for i, key := range slices.Backward(keys) {
				s.commitAll(s.group(1, put(key[1:], fmt.Sprint(i))))
			}
			within := func(start, end string) []entry {
				var rows []entry
				for i, key := range keys {
					if start <= key && key < end {
						rows = append(rows, entry{key, fmt.Sprint(i)})
					}
				}
				return rows
			}
			ends := append([]string{"w", "x", "x\xff", "xb\x00", "xb\xfe", "y"}, keys...)
			for _, start := range ends {
				for _, end := range ends {
					r := persistence.Range{Start: []byte(start), End: []byte(end)}
					s.equal(fmt.Sprintf("from %q to %q", start, end), s.rows(r), within(start, end))
				}
				r := persistence.PrefixRange([]byte(start))
				s.equal(fmt.Sprintf("prefix %q", start), s.rows(r), within(start, string(r.End)))
				for _, key := range keys {
					r := persistence.PrefixRange([]byte("x")).After([]byte(key))
					s.equal(fmt.Sprintf("behind %q", key), s.rows(r), within(key+"\x00", "y"))
				}
			}
		}},
		{"ranges are scanned one after the other", func(s *subject) {
			s.fill(100)
			within := func(bounds ...int) (ranges []persistence.Range) {
				for i := 0; i < len(bounds); i += 2 {
					ranges = append(ranges, persistence.Range{Start: fmt.Appendf(nil, "x%04d", bounds[i]), End: fmt.Appendf(nil, "x%04d", bounds[i+1])})
				}
				return ranges
			}
			for _, bounds := range [][]int{{}, {3, 5}, {3, 5, 5, 6}, {0, 1, 1, 1, 50, 52, 99, 200}, {7, 7, 300, 400}, {98, 100, 100, 120}, {2, 3, 4, 4, 4, 6, 8, 20, 20, 21, 97, 98}} {
				var want []entry
				for _, r := range within(bounds...) {
					want = append(want, s.rows(r)...)
				}
				s.equal(fmt.Sprintf("within %v", bounds), s.rows(within(bounds...)...), want)
			}
			snapshot := s.snapshot()
			defer snapshot.Close()
			n := 0
			for _, err := range snapshot.Scan(s.Context(), within(0, 10, 20, 30)...) {
				if err != nil {
					s.Fatal(err)
				}
				if n++; n == 10 {
					break
				}
			}
			s.equal("rows until it was left at the end of a range", n, 10)
		}},
		{"a scan that is left early leaves nothing behind", func(s *subject) {
			s.fill(100)
			snapshot := s.snapshot()
			defer snapshot.Close()
			scan := snapshot.Scan(s.Context(), persistence.PrefixRange([]byte("x")))
			for range 3 { // the same sequence begins anew each time
				n := 0
				for row, err := range scan {
					if err != nil || string(row.Key) != fmt.Sprintf("x%04d", n) {
						s.Fatalf("row %d: %q, %v", n, row.Key, err)
					}
					if n++; n == 10 {
						break
					}
				}
			}
			s.commitAll(s.group(1, put("0000", "")))
		}},
		{"a scan may be within another one, and a Get within both", func(s *subject) {
			s.fill(10)
			snapshot := s.snapshot()
			defer snapshot.Close()
			n := 0
			for outer, err := range snapshot.Scan(s.Context(), persistence.PrefixRange([]byte("x"))) {
				if err != nil {
					s.Fatal(err)
				}
				before := string(outer.Key)
				for inner, err := range snapshot.Scan(s.Context(), persistence.PrefixRange([]byte("x")).After(outer.Key)) {
					if err != nil {
						s.Fatal(err)
					}
					if value, err := snapshot.Get(s.Context(), inner.Key); err != nil || string(value) != string(inner.Value) {
						s.Errorf("%q: %q, %v; the scan has %q", inner.Key, value, err, inner.Value)
					}
					n++
				}
				if string(outer.Key) != before {
					s.Errorf("the key %q became %q by a scan within its step", before, outer.Key)
				}
			}
			s.equal("pairs", n, 45)
		}},
		{"a cancelled context ends a scan with one error", func(s *subject) {
			s.fill(2_000)
			snapshot := s.snapshot()
			defer snapshot.Close()
			for _, at := range []int{0, 1, 700} {
				ctx, cancel := context.WithCancel(s.Context())
				if at == 0 {
					cancel()
				}
				rows, faults := 0, 0
				for _, err := range snapshot.Scan(ctx, persistence.PrefixRange([]byte("x"))) {
					switch {
					case faults > 0:
						s.Fatalf("the scan goes on after its error")
					case err == nil:
						rows++
					case errors.Is(err, context.Canceled):
						faults++
					default:
						s.Fatalf("%v, want context.Canceled", err)
					}
					if rows == at {
						cancel()
					}
				}
				cancel()
				if faults != 1 || rows < at || rows >= 2_000 {
					s.Errorf("cancelled after %d rows: %d rows and %d errors, want it to end soon with 1", at, rows, faults)
				}
			}
		}},
	}
}

// fill commits rows with keys of four digits.
func (s *subject) fill(n int) {
	s.Helper()
	s.acquire(1)
	g := s.group(1)
	for i := range n {
		put(fmt.Sprintf("%04d", i), fmt.Sprint(i))(&g)
	}
	s.commitAll(g)
}
