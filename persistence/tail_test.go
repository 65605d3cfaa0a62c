package persistence_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// tailModel is a tail that forgets nothing and is asked only about what the real one remembers.
type tailModel struct {
	tail      persistence.Tail
	uncounted map[uint64]bool
	everyone  map[uint64]bool
	senders   map[uint64]string
}

// recent draws a message among the last n.
func (m *tailModel) recent(t *rapid.T, n uint64) uint64 {
	if m.tail.Last == 0 {
		t.Skip("no messages yet")
	}
	return m.tail.Last - rapid.Uint64Range(0, min(n, m.tail.Last)-1).Draw(t, "back")
}

func (m *tailModel) extend(t *rapid.T) {
	by := rapid.OneOf(
		rapid.Uint64Range(0, 3),
		rapid.SampledFrom([]uint64{
			persistence.TailSenders - 1, persistence.TailSenders, persistence.TailSenders + 1,
			persistence.TailMessages - 1, persistence.TailMessages, persistence.TailMessages + 1, 1 << 40,
		}),
	).Draw(t, "by")
	m.tail.Extend(m.tail.Last + by)
}

func (m *tailModel) extendBackwards(t *rapid.T) {
	last := m.tail.Last
	m.tail.Extend(m.recent(t, persistence.TailMessages))
	if m.tail.Last != last {
		t.Fatalf("Extend to an older message moved the end from %d to %d", last, m.tail.Last)
	}
}

func (m *tailModel) markUncounted(t *rapid.T) {
	seq, on := m.recent(t, persistence.TailMessages), rapid.Bool().Draw(t, "on")
	m.tail.Uncounted.Set(seq, on)
	m.uncounted[seq] = on
}

func (m *tailModel) markEveryone(t *rapid.T) {
	seq, on := m.recent(t, persistence.TailMessages), rapid.Bool().Draw(t, "on")
	m.tail.Everyone.Set(seq, on)
	m.everyone[seq] = on
}

func (m *tailModel) setSender(t *rapid.T) {
	seq := m.recent(t, persistence.TailSenders)
	user := rapid.OneOf(rapid.SampledFrom([]string{"", "alice", "bob"}), drawName()).Draw(t, "user")
	m.tail.Senders.Set(seq, user)
	m.senders[seq] = user
}

func (m *tailModel) store(t *rapid.T) {
	decoded, err := persistence.DecodeTail(m.tail.Encode())
	if err != nil {
		t.Fatal(err)
	}
	m.tail = *decoded
}

func (m *tailModel) check(t *rapid.T) {
	last := m.tail.Last
	for back := range min(last, persistence.TailMessages) {
		seq := last - back
		if got := m.tail.Uncounted.Has(seq); got != m.uncounted[seq] {
			t.Fatalf("message %d of %d is uncounted: %v; want %v", seq, last, got, !got)
		}
		if got := m.tail.Everyone.Has(seq); got != m.everyone[seq] {
			t.Fatalf("message %d of %d names everybody: %v; want %v", seq, last, got, !got)
		}
		if back >= persistence.TailSenders {
			continue
		}
		if got := m.tail.Senders.Of(seq); got != m.senders[seq] {
			t.Fatalf("message %d of %d is from %q; want %q", seq, last, got, m.senders[seq])
		}
	}
}

func TestATailRemembersTheLatestMessagesAndOnlyThose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &tailModel{uncounted: map[uint64]bool{}, everyone: map[uint64]bool{}, senders: map[uint64]string{}}
		t.Repeat(map[string]func(*rapid.T){
			"extend":           m.extend,
			"extend backwards": m.extendBackwards,
			"mark uncounted":   m.markUncounted,
			"mark everyone":    m.markEveryone,
			"set sender":       m.setSender,
			"store":            m.store,
			"":                 m.check,
		})
	})
}

// In a group, senders come, go and come back, so that the places in the table become wider, and names make room for others.
func TestSendersAreKnownHoweverManyThereAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tail, said := &persistence.Tail{}, map[uint64]string{}
		for range rapid.IntRange(1, 12).Draw(t, "stretches") {
			users := rapid.SampledFrom([]uint64{1, 3, 4, 15, 16, 200, 255, 256, 600}).Draw(t, "users")
			from := rapid.Uint64Range(0, 600).Draw(t, "from")
			for i := range rapid.Uint64Range(1, 400).Draw(t, "messages") {
				seq := tail.Last + 1
				said[seq] = fmt.Sprint("user-", from+i*7919%users)
				tail.Extend(seq)
				tail.Senders.Set(seq, said[seq])
			}
			if rapid.Bool().Draw(t, "store") {
				stored, err := persistence.DecodeTail(tail.Encode())
				if err != nil {
					t.Fatal(err)
				}
				tail = stored
			}
			for seq := tail.Last; seq > 0 && tail.Last-seq < persistence.TailSenders; seq-- {
				if got := tail.Senders.Of(seq); got != said[seq] {
					t.Fatalf("message %d of %d is from %q; want %q", seq, tail.Last, got, said[seq])
				}
			}
		}
	})
}

func TestTheTableOfSendersStaysSmallWhoeverSends(t *testing.T) {
	var tail persistence.Tail
	const messages = 20_000
	for seq := uint64(1); seq <= messages; seq++ {
		tail.Extend(seq)
		tail.Senders.Set(seq, fmt.Sprint("user-", seq))
		if size := tail.Senders.TableSize(); size > 2*persistence.TailSenders {
			t.Fatalf("after %d messages the table holds %d names; want at most %d", seq, size, 2*persistence.TailSenders)
		}
	}
	for seq := uint64(messages); seq > messages-persistence.TailSenders; seq-- {
		if got, want := tail.Senders.Of(seq), fmt.Sprint("user-", seq); got != want {
			t.Fatalf("message %d is from %q; want %q", seq, got, want)
		}
	}
}

func TestAnEncodedTailNamesNobodyWhoIsNoLongerInIt(t *testing.T) {
	var tail persistence.Tail
	for seq := uint64(1); seq <= persistence.TailSenders; seq++ {
		tail.Extend(seq)
		tail.Senders.Set(seq, fmt.Sprint("user-", seq))
	}
	for seq := uint64(1); seq <= persistence.TailSenders; seq++ {
		tail.Senders.Set(seq, "alice")
	}
	decoded, err := persistence.DecodeTail(tail.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if size := decoded.Senders.TableSize(); size != 1 {
		t.Fatalf("the stored table holds %d names; want alice alone", size)
	}
}

func TestEncodingLeavesATailAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tail := drawTail(t)
		size := tail.Senders.TableSize()
		first := tail.Encode()
		before, err := persistence.DecodeTail(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, tail, sameRow); diff != "" || tail.Senders.TableSize() != size {
			t.Fatalf("Encode changed the tail:\n%s", diff)
		}
		if diff := cmp.Diff(first, tail.Encode()); diff != "" {
			t.Fatalf("the same tail is encoded in two ways:\n%s", diff)
		}
	})
}
