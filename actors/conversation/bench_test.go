package conversation_test

import (
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
