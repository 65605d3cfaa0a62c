package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// counter is a conversation whose changes count: each leaves the head dirty and writes a member at once.
type counter struct {
	*journal.Live

	name  string
	n     int
	dirty int
}

func newCounter(f *fixture, name string) *counter {
	c := &counter{name: name}
	c.Live = f.Live(name, persistence.ShardOf(name), c)
	return c
}

func (c *counter) Dirty() int { return c.dirty }

func (c *counter) TakeDirty() []conversation.Write {
	if c.dirty == 0 {
		return nil
	}
	c.dirty = 0
	return []conversation.Write{head(c.name, strconv.Itoa(c.n))}
}

func (c *counter) member(n int) []byte { return persistence.MemberKey(c.name, fmt.Sprint("user", n)) }

// change makes a change: one that writes a member at once, or one that does not.
func (c *counter) change(joins bool, w journal.Waiter) (uint64, error) {
	c.Lock()
	defer c.Unlock()
	c.n++
	c.dirty = 1
	var writes []conversation.Write
	if joins {
		writes = append(writes, conversation.Write{Key: c.member(c.n), Value: []byte("m"), User: fmt.Sprint("user", c.n)})
	}
	return c.Add(writes, journal.Note{}, w)
}

func TestManyChangesBetweenTwoFlushesAreEncodedOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := newCounter(f, "group:1")
		for range 1000 {
			if _, err := c.change(false, nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.Stats(); got.Rows != 1 || got.Bytes == 0 {
			t.Errorf("before it is written: %+v, want one row", got)
		}
		f.advance(interval)
		f.wantStored(persistence.HeadKey("group:1"), "1000")
		if got := f.Stats(); got.Rows != 0 || got.Bytes != 0 || got.Flushed != 1 {
			t.Errorf("after it was written: %+v, want nothing left, and one row written", got)
		}
	})
}

func TestAReaderSeesWhatIsYetToBeEncoded(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := newCounter(f, "group:1")
		key := persistence.HeadKey("group:1")
		for n := range 3 {
			if _, err := c.change(false, nil); err != nil {
				t.Fatal(err)
			}
			if got := f.Lookup("group:1", key); string(got[0]) != strconv.Itoa(n+1) {
				t.Errorf("after change %d: head %q", n+1, got[0])
			}
		}
		if got := f.Inspect("group:1", func(conversation.Write) bool { return true }); len(got.Rows) != 1 {
			t.Errorf("inspected: %+v", got)
		}
	})
}

// While the store holds a batch, changes go on; whoever waits for one is told when just that one is there.
func TestAChangeBesideAFlushGoesWithTheNext(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := newCounter(f, "group:1")
		release := f.hold(nil)
		first, second := &waiter{}, &waiter{}
		if _, err := c.change(true, first); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Millisecond)
		if _, err := c.change(true, second); err != nil {
			t.Fatal(err)
		}
		f.wantWaiting("the first", first)
		release()
		f.advance(time.Millisecond)
		f.wantTold("the first", first, nil)
		f.wantTold("the second", second, nil)
		f.advance(interval)
		f.wantStored(persistence.HeadKey("group:1"), "2")
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.logs) != 2 || !bytes.Equal(f.logs[0].Groups[0].Puts[0].Value, []byte("1")) && !bytes.Equal(f.logs[0].Groups[0].Puts[1].Value, []byte("1")) {
			t.Errorf("logged: %v; the first must have the head as it was", f.logs)
		}
	})
}

func TestAConversationWhoseRowsWereDroppedAddsNothing(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c, other := newCounter(f, "group:bad"), newCounter(f, "group:good")
		f.failing(func(b persistence.Batch) error {
			for _, g := range b.Groups {
				if string(g.Puts[0].Key) == string(persistence.HeadKey("group:bad")) {
					return errors.New("cannot write this")
				}
			}
			return nil
		})
		for range 40 {
			_, _ = c.change(false, nil)
			_, _ = other.change(false, nil)
			f.advance(50 * time.Millisecond)
		}
		f.wantPoisoned("group:bad")
		if seq, err := c.change(false, nil); seq != 0 || !errors.Is(err, conversation.ErrQuarantined) {
			t.Errorf("after it was dropped: batch %d, %v", seq, err)
		}
		f.advance(time.Second)
		f.wantStored(persistence.HeadKey("group:good"), "40")
		f.wantAbsent(persistence.HeadKey("group:bad"))
		if got := f.Stats(); got.Rows != 0 || got.Bytes != 0 {
			t.Errorf("in the end: %+v, want nothing left", got)
		}
	})
}

// undivided is a store that looks, after each commit, whether the rows of each change came together.
type undivided struct {
	persistence.Store

	t     *testing.T
	heads map[string]int
	joins map[string]int
}

func (u *undivided) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	for _, g := range batch.Groups {
		name := ""
		members := 0
		for _, p := range g.Puts {
			if persistence.KindOf(p.Key) == persistence.KindHead {
				name = string(p.Key)
				n, err := strconv.Atoi(string(p.Value))
				if err != nil || n < u.heads[name] {
					u.t.Errorf("the head went back to %q from %d", p.Value, u.heads[name])
				}
				u.heads[name] = n
			} else {
				members++
			}
		}
		if u.joins[name] += members; u.joins[name] != u.heads[name] {
			u.t.Errorf("%d members are in the store beside a head that counts %d", u.joins[name], u.heads[name])
		}
	}
	return u.Store.Commit(ctx, batch)
}

// Whoever changes, reads and flushes at the same time, and however often the conversation leaves memory: the rows of one change are in the store together, and in memory as well.
func TestTheRowsOfAChangeAreNeverDivided(t *testing.T) {
	f := newFixture(t, func(c *journal.Config) {
		c.Store = &undivided{Store: c.Store, t: t, heads: map[string]int{}, joins: map[string]int{}}
		c.Interval = 50 * time.Microsecond
		c.MaxBytes = 1 << 30
	})
	var changing, reading sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		name := fmt.Sprint("group:", i)
		c := newCounter(f, name)
		changing.Go(func() {
			for n := range 20_000 {
				var w journal.Waiter
				if n%50 == 0 {
					w = &waiter{}
				}
				if _, err := c.change(true, w); err != nil {
					t.Error(err)
					return
				}
				if n%3 == 0 { // it leaves memory, and comes back with what its rows say
					f.Lookup(name, persistence.HeadKey(name))
					again := newCounter(f, name)
					again.n, c = c.n, again
				}
			}
		})
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				head, last := "", ""
				for _, w := range f.Inspect(name, func(conversation.Write) bool { return true }).Rows {
					if _, user, err := persistence.ParseMemberKey(w.Key); err != nil {
						head = string(w.Value)
					} else if user = strings.TrimPrefix(user, "user"); len(user) > len(last) || (len(user) == len(last) && user > last) {
						last = user
					}
				}
				if head != last {
					t.Errorf("a reader saw a head that counts %q, and the last member, %q", head, last)
					return
				}
			}
		})
	}
	changing.Wait()
	close(done)
	reading.Wait()
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for i := range 4 {
		f.wantStored(persistence.HeadKey(fmt.Sprint("group:", i)), "20000")
	}
}
