package persistencetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// log logs the groups, which must be taken.
func (s *subject) log(groups ...persistence.Group) persistence.Position {
	s.Helper()
	position, err := s.store.Log(s.Context(), persistence.Batch{Groups: groups})
	if err != nil || position == 0 {
		s.Fatalf("log: position %d, %v; want one, and no error", position, err)
	}
	return position
}

// cover commits groups none of which may be refused, and says that they cover what was logged up to a position.
func (s *subject) cover(upTo persistence.Position, groups ...persistence.Group) {
	s.Helper()
	results, err := s.store.Commit(s.Context(), persistence.Batch{Logged: upTo, Groups: groups})
	if err != nil {
		s.Fatalf("commit: %v", err)
	}
	for i, result := range results {
		if result.Err != nil {
			s.Fatalf("group %d: %v", i, result.Err)
		}
	}
}

// wantNotLogged has a batch refused, for a reason; nil: for any.
func (s *subject) wantNotLogged(what string, why error, groups ...persistence.Group) {
	s.Helper()
	if _, err := s.store.Log(s.Context(), persistence.Batch{Groups: groups}); err == nil || why != nil && !errors.Is(err, why) {
		s.Errorf("log of %s: %v, want %v", what, err, why)
	}
}

func logTests() []suiteTest {
	return []suiteTest{
		{"what was logged is there when the store is opened again, in its order", func(s *subject) {
			s.acquire(1, 2)
			s.commitAll(s.group(1, put("a", "0"), put("b", "0")))
			first := s.log(s.group(1, put("a", "1")), s.group(2, put("c", "1")))
			second := s.log(s.group(1, put("a", "2"), remove("b"), put("d", "2")))
			third := s.log(s.group(2, remove("c")), s.group(1, put("a", "3")))
			if first >= second || second >= third {
				s.Errorf("positions %d, %d, %d; want them to grow", first, second, third)
			}
			s.equal("rows before", s.all(), []entry{{"xa", "0"}, {"xb", "0"}})
			want := []entry{{"xa", "3"}, {"xd", "2"}}
			for range 2 {
				s.reopen()
				s.equal("rows after", s.all(), want)
			}
			if later := s.log(s.group(1, put("a", "4"))); later <= third {
				s.Errorf("position %d after %d was reached; want a higher one", later, third)
			}
			s.reopen()
			s.want("a", "4")
		}},
		{"what was logged is in the snapshots of who acquires a shard", func(s *subject) {
			s.acquire(1, 2)
			s.log(s.group(1, put("a", "1")), s.group(2, put("b", "1")))
			before := s.epochs[2]
			s.acquire(2)
			s.equal("rows", s.all(), []entry{{"xa", "1"}, {"xb", "1"}})
			s.log(s.group(1, put("a", "2")))
			s.wantNotLogged("a group of the owner before", persistence.ErrFenced, s.group(1, put("a", "3")), persistence.Group{Shard: 2, Epoch: before})
			s.log(s.group(2, put("b", "2")))
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xa", "2"}, {"xb", "2"}})
		}},
		{"a batch with a group of an old epoch, or of nobody's shard, is not logged", func(s *subject) {
			s.acquire(1)
			old := s.group(1, put("a", "1"))
			s.acquire(1)
			s.wantNotLogged("an old epoch", persistence.ErrFenced, s.group(1, put("b", "1")), old)
			s.wantNotLogged("nobody's shard", persistence.ErrFenced, s.group(1, put("c", "1")), persistence.Group{Shard: 7})
			s.reopen()
			s.wantNotLogged("an old epoch", persistence.ErrFenced, old)
			s.equal("rows", len(s.all()), 0)
			s.log(s.group(1, put("d", "1")))
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xd", "1"}})
		}},
		{"what a commit covers is not carried out again", func(s *subject) {
			s.acquire(1)
			s.log(s.group(1, put("a", "1"), put("b", "1"), put("c", "1")))
			covered := s.log(s.group(1, put("a", "2"), remove("b")))
			s.log(s.group(1, put("d", "1")))
			s.cover(covered, s.group(1, put("a", "2"), put("c", "1"), remove("b")))
			s.commitAll(s.group(1, remove("a"), put("b", "9"), remove("c")))
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xb", "9"}, {"xd", "1"}})
		}},
		{"a commit may cover with no rows, and with those of several transactions", func(s *subject) {
			s.acquire(1)
			covered := s.log(s.group(1, put("a", "1")))
			s.cover(covered)
			s.reopen()
			s.equal("rows", len(s.all()), 0)
			covered = s.log(s.group(1, put("last", "1")))
			batch := make([]persistence.Group, 40)
			for i := range batch {
				batch[i] = s.group(1, put("last", "2"))
				for k := range 1_000 {
					put(fmt.Sprintf("%02d-%03d", i, k), "v")(&batch[i])
				}
			}
			s.cover(covered, batch...)
			s.commitAll(s.group(1, remove("last")))
			s.reopen()
			s.wantNone("last")
			s.equal("number of rows", len(s.all()), 40_000)
		}},
		{"a commit that covers less than was covered takes nothing back", func(s *subject) {
			s.acquire(1)
			first := s.log(s.group(1, put("a", "1")))
			second := s.log(s.group(1, put("a", "2")))
			s.cover(second, s.group(1, put("a", "2")))
			s.cover(first)
			s.commitAll(s.group(1, remove("a")))
			s.reopen()
			s.wantNone("a")
		}},
		{"a put that asks for its row asks when it is carried out", func(s *subject) {
			s.acquire(1)
			s.commitAll(s.group(1, put("there", "0"), put("gone", "0")))
			s.log(s.group(1, putIfPresent("there", "1"), putIfPresent("none", "1"), putIfPresent("gone", "1")))
			s.log(s.group(1, put("new", "1")))
			s.log(s.group(1, putIfPresent("new", "2")))
			s.commitAll(s.group(1, remove("gone")))
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xnew", "2"}, {"xthere", "1"}})
		}},
		{"the clock of what was logged is kept", func(s *subject) {
			s.acquire(1)
			if _, err := s.store.Log(s.Context(), persistence.Batch{Clock: 70, Groups: []persistence.Group{s.group(1, put("a", "1"))}}); err != nil {
				s.Fatal(err)
			}
			s.reopen()
			s.equal("clock", s.store.Meta().Clock, persistence.Instant(70))
		}},
		{"a group that is too large keeps its batch from being logged", func(s *subject) {
			s.acquire(1)
			value := make([]byte, 1<<20-1)
			large := s.group(1)
			for i := range 64 {
				putValue(fmt.Sprintf("large-%02d", i), value)(&large)
			}
			switch _, err := s.store.Log(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, put("a", "1")), large}}); {
			case errors.Is(err, persistence.ErrGroupTooLarge):
				s.reopen()
				s.equal("rows", len(s.all()), 0)
			case err != nil:
				s.Errorf("log: %v, want ErrGroupTooLarge", err)
			}
		}},
		{"what would not be the same if it were carried out twice is not logged", func(s *subject) {
			s.acquire(1)
			s.wantNotLogged("an event", nil, s.group(1, event("e")))
			s.wantNotLogged("a condition", nil, s.group(1, requires("a"), put("b", "1")))
			s.wantNotLogged("a guarded delete", nil, s.group(1, removeUpTo("a", 4, nil)))
			s.wantNotLogged("a delete that replaces", nil, s.group(1, removeUpTo("a", 0, []byte("v"))))
		}},
		{"a batch is the caller's again once Log returned", func(s *subject) {
			s.acquire(1)
			g := s.group(1, put("a", "1"))
			s.log(g)
			g.Puts[0].Key[1], g.Puts[0].Value[0] = '!', '!'
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xa", "1"}})
		}},
		{"a context that ended before its turn logs nothing", func(s *subject) {
			s.acquire(1)
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			if _, err := s.store.Log(ctx, persistence.Batch{Groups: []persistence.Group{s.group(1, put("a", "1"))}}); !errors.Is(err, context.Canceled) {
				s.Errorf("log: %v, want context.Canceled", err)
			}
			s.close()
			if _, err := s.store.Log(s.Context(), persistence.Batch{Groups: []persistence.Group{s.group(1, put("a", "1"))}}); !errors.Is(err, persistence.ErrClosed) {
				s.Errorf("log after close: %v, want ErrClosed", err)
			}
			s.open()
			s.equal("rows", len(s.all()), 0)
		}},
		{"logging many batches, covered now and then, leaves the last of each", func(s *subject) {
			s.acquire(1)
			value := make([]byte, 100_000)
			for i := range 700 {
				value[0] = byte(i)
				last := s.log(s.group(1, putValue(fmt.Sprint("k", i%5), value)))
				if i%100 == 99 {
					value[0] = 0
					s.cover(last, s.group(1, putValue("k0", value), remove("k4")))
				}
			}
			for i := range 7 {
				s.log(s.group(1, put(fmt.Sprint("k", i%5), fmt.Sprint("last", i))))
			}
			s.reopen()
			s.equal("rows", s.all(), []entry{{"xk0", "last5"}, {"xk1", "last6"}, {"xk2", "last2"}, {"xk3", "last3"}, {"xk4", "last4"}})
		}},
	}
}
