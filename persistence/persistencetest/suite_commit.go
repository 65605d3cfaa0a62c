package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

func commitTests() []suiteTest {
	return []suiteTest{
		{"what was committed is in the next snapshot", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("a", "1"), put("b", "2")))
			s.equal("rows", s.all(), []entry{{"xa", "1"}, {"xb", "2"}})
			s.commitAll(s.group(1, put("a", "3"), remove("b"), put("c", "4")))
			s.equal("rows", s.all(), []entry{{"xa", "3"}, {"xc", "4"}})
		}},
		{"a row may have an empty value", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, putValue("nil", nil), putValue("empty", []byte{})))
			s.want("nil", "")
			s.want("empty", "")
			results := s.commitAll(s.group(1, putValue("now", nil), putIfPresent("now", "1"), putIfPresent("nil", "1"), remove("empty")))
			s.equal("deleted", results[0].Deleted, 1)
			s.equal("rows", s.all(), []entry{{"xnil", "1"}, {"xnow", "1"}})
		}},
		{"a batch without groups is committed", func(s *subject) {
			results, err := s.store.Commit(s.Context(), persistence.Batch{})
			if err != nil || len(results) != 0 {
				s.Errorf("%v, %v; want no results and no error", results, err)
			}
		}},
		{"a batch is the caller's again once Commit returned", func(s *subject) {
			s.acquire(1)
			g := s.group(1, put("a", "1"), event("e"))
			results := s.commitAll(g)
			for _, b := range [][]byte{g.Puts[0].Key, g.Puts[0].Value, g.Events[0]} {
				for i := range b {
					b[i] = '!'
				}
			}
			s.want("a", "1")
			s.equal("event", s.rows(persistence.EventsRange(1, 0)), []entry{{string(persistence.EventKey(1, results[0].FirstEvent)), "e"}})
		}},
		{"a batch larger than a transaction is written in order and whole", func(s *subject) {
			const groups, rows = 36, 1_000
			s.acquire(1, 2)
			batch := make([]persistence.Group, groups)
			for i := range batch {
				batch[i] = s.group(persistence.Shard(1 + i%2))
				for j := range rows {
					put(fmt.Sprintf("%03d-%04d", i, j), fmt.Sprint(i))(&batch[i])
				}
				put("last", fmt.Sprint(i))(&batch[i])
			}
			s.commitAll(batch...)
			s.equal("number of rows", len(s.all()), groups*rows+1)
			s.want("last", fmt.Sprint(groups-1))
		}},
		{"a group that is too large is refused alone, and whole", func(s *subject) {
			s.acquire(1)
			value := make([]byte, 1<<20-1)
			large := s.group(1, put("before", "1"))
			for i := range 64 {
				putValue(fmt.Sprintf("large-%02d", i), value)(&large)
			}
			results := s.commit(s.group(1, put("a", "1")), large, s.group(1, put("z", "1")))
			want := []string{"xa", "xz"}
			switch {
			case errors.Is(results[1].Err, persistence.ErrGroupTooLarge):
			case results[1].Err == nil: // a store without such a limit
				want = append(want, "xbefore")
				for i := range 64 {
					want = append(want, fmt.Sprintf("xlarge-%02d", i))
				}
				slices.Sort(want)
			default:
				s.Errorf("the large group: %v, want ErrGroupTooLarge", results[1].Err)
			}
			var got []string
			for _, row := range s.all() {
				got = append(got, row.Key)
			}
			s.equal("keys", got, want)
			if results[0].Err != nil || results[2].Err != nil {
				s.Errorf("the groups beside it: %v, %v", results[0].Err, results[2].Err)
			}
		}},
		{"a batch may be repeated when its outcome is unknown", func(s *subject) {
			s.acquire(1, 2)
			s.commitAll(s.group(1, putGeneration("old", 4), putGeneration("new", 5), putGeneration("head", 4), put("due", "")))
			batch := []persistence.Group{
				s.group(2, put("a", "1"), putIfPresent("none", "1")),
				s.group(1, requires("due"), remove("due"), removeUpTo("old", 4, nil), removeUpTo("new", 4, nil),
					removeUpTo("head", 4, persistence.Tombstone{Generation: 4, LastSeq: 9}.Encode()), event("expired")),
			}
			first := s.commitAll(batch...)
			s.equal("deleted", first[1].Deleted, 3)
			rows := s.all()
			for range 3 {
				again := s.commitAll(batch...)
				s.equal("the repetition", again[1], persistence.Result{Skipped: true})
				s.equal("rows", s.all(), rows)
			}
		}},
		{"a context that ended before its turn writes nothing", func(s *subject) {
			s.acquire(1)
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			if _, err := s.store.Commit(ctx, persistence.Batch{Clock: 7, Groups: []persistence.Group{s.group(1, put("a", "1"))}}); !errors.Is(err, context.Canceled) {
				s.Errorf("commit: %v, want context.Canceled", err)
			}
			if _, err := s.store.Acquire(ctx, 1); !errors.Is(err, context.Canceled) {
				s.Errorf("acquire: %v, want context.Canceled", err)
			}
			s.equal("rows", len(s.all()), 0)
			s.equal("clock", s.store.Meta().Clock, persistence.Instant(0))
			s.commitAll(s.group(1, put("a", "1"))) // the epoch is still the latest
		}},
	}
}
