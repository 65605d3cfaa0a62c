package journal_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// machine drives a journal on a store that fails in all ways but for good, beside a map that holds what should come of it.
type machine struct {
	*fixture

	model   map[string]string // rows, by their keys
	heads   []posted          // that somebody waits for
	waiters []*waiter
	last    uint64 // the last batch that something was added to
	flushed uint64
	changes int
	states  map[string][]string // of each conversation, by its name: what stood in its rows after each change, see stateIn
}

func TestAJournalAndItsStoreTogetherAreAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// rapid ends a run by a panic, which has to get out of the bubble first.
		var ended any
		synctest.Test(t, func(t *testing.T) {
			defer func() { ended = recover() }()
			m := &machine{fixture: newFixture(t), model: map[string]string{}, states: map[string][]string{}}
			defer func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				_ = m.Close(ctx)
			}()
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				m.step(rt)
				m.check(rt)
			}
			m.finish(rt)
		})
		if ended != nil {
			panic(ended)
		}
	})
}

// posted is a value of a head, and who waits for that. Values grow.
type posted struct {
	key   []byte
	value int
	*waiter
}

func (m *machine) step(rt *rapid.T) {
	name := rapid.SampledFrom(names(4)).Draw(rt, "conversation")
	switch rapid.SampledFrom([]string{"add", "add", "add", "wait", "advance", "fail", "recover", "flush"}).Draw(rt, "step") {
	case "add":
		writes := m.draw(rt, name)
		w := &waiter{}
		if rapid.Bool().Draw(rt, "waiting") {
			m.waiters = append(m.waiters, w)
			m.changes++
			h := head(name, fmt.Sprint(m.changes))
			m.model[string(h.Key)] = string(h.Value)
			writes = append(writes, h)
			m.heads = append(m.heads, posted{h.Key, m.changes, w})
			m.last = m.Add(name, persistence.ShardOf(name), writes, w)
		} else {
			m.last = m.add(name, writes...)
		}
		m.states[name] = append(m.states[name], stateIn(m.model, name))
	case "wait":
		m.waiters = append(m.waiters, m.wait(name, rapid.Uint64Range(0, m.last).Draw(rt, "seq")))
	case "advance":
		m.advance(rapid.SampledFrom([]time.Duration{time.Microsecond, 20 * time.Millisecond, time.Second}).Draw(rt, "by"))
	case "fail":
		how := rapid.SampledFrom(slices.Sorted(maps.Keys(kindsOfFailure(nil)))).Draw(rt, "how")
		m.store.SetFaults(kindsOfFailure(func() bool { return true })[how])
	case "recover":
		m.recovered()
	case "flush":
		m.Flush()
	}
	synctest.Wait()
}

// rowsOf returns all rows that a conversation may have.
func rowsOf(name string) []conversation.Write {
	return []conversation.Write{
		head(name, ""), tail(name, ""), membership("ann", name, ""), membership("bob", name, ""), due(name, 7, ""),
	}
}

// stateIn returns what stands in a conversation's rows.
func stateIn(rows map[string]string, name string) string {
	var state []string
	for _, row := range rowsOf(name) {
		state = append(state, rows[string(row.Key)])
	}
	return strings.Join(state, ",")
}

// draw returns a change of a conversation and applies it to the model.
func (m *machine) draw(rt *rapid.T, name string) []conversation.Write {
	rows := rowsOf(name)
	var writes []conversation.Write
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(rows)-1), 1, 4).Draw(rt, "rows") {
		m.changes++
		w := rows[i]
		w.Value = fmt.Append(nil, m.changes)
		key := string(w.Key)
		_, present := m.model[key]
		kind := "put"
		if i == len(rows)-1 { // the only kind of row with more to it
			kind = rapid.SampledFrom([]string{"put", "put if present", "delete"}).Draw(rt, "kind")
		}
		switch kind {
		case "put":
			m.model[key] = string(w.Value)
		case "put if present":
			w.IfPresent = true
			if present {
				m.model[key] = string(w.Value)
			}
		case "delete":
			w = deleted(w)
			delete(m.model, key)
		}
		writes = append(writes, w)
	}
	return writes
}

// check compares what readers see now, and what the journal says of itself.
func (m *machine) check(rt *rapid.T) {
	for _, name := range names(4) {
		for _, row := range []conversation.Write{head(name, ""), tail(name, ""), membership("ann", name, "")} {
			got := m.lookup(name, row)[0]
			if got == "-" {
				got, _ = m.stored(row.Key)
			}
			if want := m.model[string(row.Key)]; got != want {
				rt.Fatalf("%q: readers see %q, want %q", row.Key, got, want)
			}
		}
		m.checkDue(rt, name)
	}
	m.checkDurable(rt)
	if got := m.Flushed(); got < m.flushed || got > m.Seq() {
		rt.Fatalf("Flushed went from %d to %d, Seq is %d", m.flushed, got, m.Seq())
	}
	m.flushed = m.Flushed()
	if s := m.Stats(); s.Rows < 0 || s.Bytes < 0 || (s.Rows == 0) != (s.Bytes == 0) {
		rt.Fatalf("stats: %+v", s)
	}
}

// checkDurable compares what a crash at this moment would leave with what was told to be durable, and requires that each conversation is as it was after one of its changes.
func (m *machine) checkDurable(rt *rapid.T) {
	s, err := m.store.Copy().Snapshot()
	if err != nil {
		rt.Fatal(err)
	}
	defer s.Close()
	for _, h := range m.heads {
		if told := h.told(); len(told) == 0 || told[0] != nil {
			continue
		}
		value, err := s.Get(context.Background(), h.key)
		if err != nil {
			rt.Fatalf("%q was told to be %d: %v", h.key, h.value, err)
		}
		if got, err := strconv.Atoi(string(value)); err != nil || got < h.value {
			rt.Fatalf("%q was told to be %d, and a crash leaves %q", h.key, h.value, value)
		}
	}
	left := m.rowsIn(rt, s)
	for _, name := range names(4) {
		if state := stateIn(left, name); state != ",,,," && !slices.Contains(m.states[name], state) {
			rt.Fatalf("a crash leaves %s in %s, which was never so: %q", state, name, m.states[name])
		}
	}
}

// rowsIn returns all rows of conversations.
func (*machine) rowsIn(rt *rapid.T, s persistence.Snapshot) map[string]string {
	rows := map[string]string{}
	for row, err := range s.Scan(context.Background(), persistence.Range{}) {
		if err != nil {
			rt.Fatal(err)
		}
		if persistence.KindOf(row.Key) != persistence.KindOwner {
			rows[string(row.Key)] = string(row.Value)
		}
	}
	return rows
}

// checkDue sees to it that an entry which is there, or will be, is in the journal's list or in the store.
func (m *machine) checkDue(rt *rapid.T, name string) {
	entry := due(name, 7, "")
	if _, want := m.model[string(entry.Key)]; !want {
		return
	}
	listed, _ := m.Dues(persistence.ShardOf(name))
	here := slices.ContainsFunc(listed, func(e journal.DueEntry) bool { return string(e.Key) == string(entry.Key) })
	if _, there := m.stored(entry.Key); !here && !there {
		rt.Fatalf("the due entry of %s is neither in the journal nor in the store", name)
	}
}

func (m *machine) finish(rt *rapid.T) {
	m.recovered()
	m.advance(3 * time.Second)
	if err := m.Close(context.Background()); err != nil {
		rt.Fatalf("close: %v", err)
	}
	s, err := m.store.Snapshot()
	if err != nil {
		rt.Fatal(err)
	}
	defer s.Close()
	if diff := cmp.Diff(m.model, m.rowsIn(rt, s)); diff != "" {
		rt.Fatalf("in the store at last: -want +got:\n%s", diff)
	}
	for i, w := range m.waiters {
		if told := w.told(); len(told) != 1 || told[0] != nil {
			rt.Fatalf("waiter %d was told %v, want nil, once", i, told)
		}
	}
}
