package conversation_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// BenchmarkApplyPost is the hot path: the next message of a person-to-person chat that is in memory, and its rows.
func BenchmarkApplyPost(b *testing.B) {
	state, err := conversation.Load("direct:ann:bob", nil, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	in := conversation.Input{
		Policy: conversation.Policy{ExpireAfter: 720 * time.Hour},
		At:     start,
		Next:   func() persistence.Generation { return 1 },
	}
	preview, both := []byte("see you at eight"), []string{"ann", "bob"}
	bytes := 0
	b.ReportAllocs()
	for seq := uint64(1); b.Loop(); seq++ {
		in.At++
		in.Change = &conversation.Post{Seq: seq, Sender: both[seq%2], Preview: preview, Members: both}
		out, err := state.Apply(in)
		if err != nil {
			b.Fatal(err)
		}
		for _, w := range out.Writes {
			bytes += len(w.Key) + len(w.Value)
		}
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "row-B/op")
}

// chatted is a pair of which one posts, under a policy by which they would expire, in their own words and names: what is to be applied next is the message after `messages`.
type chatted struct {
	rows     table
	name     string
	in       conversation.Input
	messages uint64
}

func newChatted(b *testing.B, number int, messages uint64) *chatted {
	b.Helper()
	c := &chatted{rows: table{}, name: fmt.Sprint("room:", 100_000+number), messages: messages}
	c.in = conversation.Input{
		Policy: conversation.Policy{ExpireAfter: 720 * time.Hour}, At: start, Now: start, Next: func() persistence.Generation { return 1<<20 + 1 },
	}
	state := c.load(b)
	for range messages {
		c.apply(b, state)
	}
	c.flush(state)
	return c
}

// load loads the state from the rows, and has it learn who posts.
func (c *chatted) load(b *testing.B) *conversation.State {
	b.Helper()
	row := func(key []byte) []byte { return c.rows[string(key)] }
	state, err := conversation.Load(c.name, row(persistence.HeadKey(c.name)), row(persistence.TailKey(c.name)), row(persistence.RosterKey(c.name)))
	if err != nil {
		b.Fatal(err)
	}
	for _, user := range state.Missing(c.post(1), c.in.At) {
		if err := state.Learn(user, row(persistence.MembershipKey(user, c.name))); err != nil {
			b.Fatal(err)
		}
	}
	return state
}

func (c *chatted) post(seq uint64) *conversation.Post {
	p := &conversation.Post{Seq: seq, Sender: "user-1234", Preview: []byte("see you at eight")}
	if seq == 1 {
		p.Members = []string{"user-1235"}
	}
	return p
}

func (c *chatted) apply(b *testing.B, state *conversation.State) {
	b.Helper()
	_, _, last := state.Standing()
	c.in.At, c.in.Now, c.in.Change = c.in.At+1, c.in.Now+1, c.post(last+1)
	out, err := state.Apply(c.in)
	if err != nil {
		b.Fatal(err)
	}
	c.write(out.Writes)
}

func (c *chatted) flush(state *conversation.State) { c.write(state.TakeDirty()) }

func (c *chatted) write(writes []conversation.Write) {
	for _, w := range writes {
		c.rows[string(w.Key)] = w.Value
	}
}

// BenchmarkVisit is a post to a pair that is packed: it is unpacked, changed, its rows are taken, and it is packed again.
func BenchmarkVisit(b *testing.B) {
	for _, messages := range []uint64{4, 1000} {
		b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) {
			c := newChatted(b, 0, messages)
			packed, ok := c.load(b).Pack(nil, c.in.At)
			if !ok {
				b.Fatal("not packed")
			}
			var again []byte
			var desk conversation.Desk
			in := c.in
			in.Change = c.post(messages + 1)
			b.ReportAllocs()
			for b.Loop() {
				state, err := desk.Unpack(c.name, packed, in.At)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := state.Apply(in); err != nil {
					b.Fatal(err)
				}
				if rows := state.TakeDirty(); len(rows) != 3 {
					b.Fatalf("%d rows are dirty", len(rows))
				}
				again, _ = state.Pack(again[:0], in.At)
			}
			b.ReportMetric(float64(len(packed)), "packed-B")
		})
	}
}

// BenchmarkState is what a pair in memory takes of the heap: once loaded, after its next posts, and unpacked.
func BenchmarkState(b *testing.B) {
	const n = 2000
	chats := make([]*chatted, n)
	for i := range chats {
		chats[i] = newChatted(b, i, 4)
	}
	for _, stage := range []struct {
		name string
		make func(c *chatted) *conversation.State
	}{
		{"loaded", func(c *chatted) *conversation.State { return c.load(b) }},
		{"changed", func(c *chatted) *conversation.State {
			state := c.load(b)
			c.apply(b, state)
			state.TakeDirty()
			c.apply(b, state)
			return state
		}},
		{"unpacked", func(c *chatted) *conversation.State {
			packed, _ := c.load(b).Pack(nil, c.in.At)
			state, err := conversation.Unpack(c.name, packed, c.in.At)
			if err != nil {
				b.Fatal(err)
			}
			return state
		}},
	} {
		b.Run(stage.name, func(b *testing.B) {
			states := make([]*conversation.State, n)
			for b.Loop() {
				clear(states)
				bytes, objects := reachable()
				for i, c := range chats {
					states[i] = stage.make(c)
				}
				moreBytes, moreObjects := reachable()
				b.ReportMetric((moreBytes-bytes)/n, "heap-B")
				b.ReportMetric((moreObjects-objects)/n, "objects")
			}
			runtime.KeepAlive(states)
		})
	}
	runtime.KeepAlive(chats)
}

// reachable returns how much of the heap is reachable, in bytes and in objects.
func reachable() (bytes, objects float64) {
	for range 3 { // what is in a pool goes with the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.HeapObjects)
}

// BenchmarkUnread is what a reader counts for a member with everything unread in a full tail.
func BenchmarkUnread(b *testing.B) {
	w := newWorld(b)
	for seq := range uint64(persistence.TailMessages) {
		w.do(&conversation.Post{Seq: seq + 1, Sender: "ann", Members: []string{"bob"}, Silent: seq%8 == 0})
	}
	rows, _ := w.shown("bob")
	b.ReportAllocs()
	for b.Loop() {
		if rows.MemberView("bob").Unread != persistence.TailMessages*7/8 {
			b.Fatal("miscounted")
		}
	}
}

// BenchmarkAddPost is the next message of a pair that is packed and open, where it lies. What is packed is made anew once it has no room for more.
func BenchmarkAddPost(b *testing.B) {
	c := newChatted(b, 0, 4)
	fresh, ok := c.load(b).PackOpen(nil, c.in.At, 0)
	if !ok {
		b.Fatal("not packed")
	}
	packed := make([]byte, len(fresh))
	last := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		if last == 0 {
			copy(packed, fresh)
			last = c.messages
		}
		last++
		c.in.At++
		post := conversation.Post{Seq: last, Sender: "user-1234", Preview: []byte("see you at nine")}
		if _, ok := conversation.AddPost(packed, c.name, &c.in, &post); !ok {
			if last == c.messages+1 {
				b.Fatal("not added")
			}
			last = 0
		}
	}
	b.ReportMetric(float64(len(packed)), "packed-B")
}
