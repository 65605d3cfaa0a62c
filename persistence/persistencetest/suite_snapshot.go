package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

func snapshotTests() []suiteTest {
	return []suiteTest{
		{"later commits do not change a snapshot", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "1"), put("b", "1")))
			old := s.snapshot()
			defer old.Close()
			want, err := collect(s.Context(), old, persistence.PrefixRange([]byte("x")))
			if err != nil {
				s.Fatal(err)
			}
			for i := range 20 {
				s.commitAll(s.group(1, put("a", fmt.Sprint(i)), remove("b"), put(fmt.Sprint(i), "")))
			}
			got, err := collect(s.Context(), old, persistence.PrefixRange([]byte("x")))
			if err != nil {
				s.Fatal(err)
			}
			s.equal("rows of the old snapshot", got, want)
			if value, err := old.Get(s.Context(), free("b")); string(value) != "1" || err != nil {
				s.Errorf("row b: %q, %v; want what it was", value, err)
			}
			s.wantNone("b")
		}},
		{"a snapshot that has more has a higher number", func(s *subject) {
			s.acquire(1)
			last := s.number()
			if last == 0 {
				s.Error("a snapshot has the number 0")
			}
			for i := range 5 {
				s.commitAll(s.group(1, put(fmt.Sprint(i), "")))
				number := s.number()
				if number <= last {
					s.Errorf("after commit %d: number %d, before it %d", i, number, last)
				}
				last = number
			}
		}},
		{"Get returns a copy", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "value")))
			snapshot := s.snapshot()
			defer snapshot.Close()
			got, err := snapshot.Get(s.Context(), free("a"))
			if err != nil {
				s.Fatal(err)
			}
			copy(got, "XXXXX")
			s.want("a", "value")
		}},
		{"closing a snapshot twice does not close another one", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "1")))
			one, two := s.snapshot(), s.snapshot()
			defer two.Close()
			one.Close()
			one.Close()
			s.commitAll(s.group(1, put("a", "2")))
			one.Close()
			if value, err := two.Get(s.Context(), free("a")); string(value) != "1" || err != nil {
				s.Errorf("%q, %v; want the row of the snapshot that is open", value, err)
			}
			if value, err := one.Get(s.Context(), free("a")); err == nil {
				s.Errorf("the closed snapshot returned %q", value)
			}
			if rows, err := collect(s.Context(), one, persistence.PrefixRange([]byte("x"))); err == nil {
				s.Errorf("a scan of the closed snapshot returned %q", rows)
			}
		}},
		{"a cancelled context stops a Get", func(s *subject) {
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			snapshot := s.snapshot()
			defer snapshot.Close()
			if _, err := snapshot.Get(ctx, free("a")); !errors.Is(err, context.Canceled) {
				s.Errorf("%v, want context.Canceled", err)
			}
		}},
		{"whoever committed sees it in the next snapshot, and everybody sees whole groups", readWhileCommitting},
	}
}

// readWhileCommitting has committers that each look for what they were told is written, and readers who check that the two rows of any
// group are always equal, in snapshots that never go back.
func readWhileCommitting(s *subject) {
	const committers, readers, times = 4, 3, 40
	s.acquire(1)
	var committing, reading sync.WaitGroup
	var done atomic.Bool
	pair := func(c int) (string, string) { return fmt.Sprintf("%d-a", c), fmt.Sprintf("%d-b", c) }
	for c := range committers {
		a, b := pair(c)
		committing.Go(func() {
			for i := range times {
				value := fmt.Sprintf("%04d", i)
				results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, put(a, value), put(b, value))}})
				if err != nil || results[0].Err != nil {
					s.Errorf("commit: %v, %v", err, results)
					return
				}
				s.want(a, value)
				s.want(b, value)
			}
		})
	}
	for range readers {
		reading.Go(func() {
			latest := make(map[string]string)
			for !done.Load() && !s.Failed() {
				snapshot := s.snapshot()
				rows, err := collect(s.Context(), snapshot, persistence.PrefixRange([]byte("x")))
				if err != nil {
					s.Errorf("scan: %v", err)
				}
				if len(rows)%2 != 0 {
					s.Errorf("half a group: %q", rows)
				}
				for i := 0; i+1 < len(rows); i += 2 {
					if rows[i].Value != rows[i+1].Value {
						s.Errorf("half a group: %q", rows[i:i+2])
					}
					if rows[i].Value < latest[rows[i].Key] {
						s.Errorf("row %s went back from %s to %s", rows[i].Key, latest[rows[i].Key], rows[i].Value)
					}
					latest[rows[i].Key] = rows[i].Value
				}
				snapshot.Close()
			}
		})
	}
	committing.Wait()
	done.Store(true)
	reading.Wait()
}
