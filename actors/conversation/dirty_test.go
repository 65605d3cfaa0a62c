package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// written is a conversation in memory and what was written of it.
type written struct {
	tester

	rows  table
	state *conversation.State
}

func newWritten(t tester) *written {
	w := &written{tester: t, rows: table{}}
	w.load()
	return w
}

func (w *written) load() {
	state, err := conversation.Load(name, w.rows[headKey], w.rows[tailKey], w.rows[string(persistence.RosterKey(name))])
	if err != nil {
		w.Fatalf("load: %v", err)
	}
	w.state = state
}

func (w *written) write(writes []conversation.Write) {
	for _, write := range writes {
		key := string(write.Key)
		if _, present := w.rows[key]; write.IfPresent && !present {
			continue
		}
		if delete(w.rows, key); !write.Delete {
			w.rows[key] = write.Value
		}
	}
}

// apply applies a change and writes what is to be written at once. It reports whether it panicked.
func (w *written) apply(in conversation.Input) (panicked bool) {
	for _, user := range w.state.Missing(in.Change, in.At) {
		if err := w.state.Learn(user, w.rows[membershipKey(user)]); err != nil {
			w.Fatalf("learn of %s: %v", user, err)
		}
	}
	defer func() { panicked = recover() != nil }()
	if out, err := w.state.Apply(in); err == nil {
		w.write(out.Writes)
	}
	return false
}

// flush writes what is dirty.
func (w *written) flush() { w.write(w.state.TakeDirty()) }

func drawChange(t *rapid.T, l log, generation uint64) (change conversation.Change, ifGeneration uint64) {
	user, seq := rapid.SampledFrom(cast).Draw(t, "user"), rapid.Uint64Range(1, 40).Draw(t, "seq")
	switch rapid.IntRange(0, 11).Draw(t, "kind") {
	case 0:
		return &conversation.Join{Users: drawUsers(t, "users", 1)}, 0
	case 1:
		return &conversation.Leave{Users: drawUsers(t, "users", 1), Keep: rapid.Bool().Draw(t, "keep")}, 0
	case 2:
		return &conversation.Read{User: user, Seq: seq}, 0
	case 3:
		return drawSet(t), 0
	case 4:
		return &conversation.Amend{Seq: seq, Retracted: true}, 0
	case 5:
		return &conversation.MarkUnread{User: user, Seq: seq}, 0
	case 6:
		return &conversation.Rewind{From: seq, To: rapid.Uint64Range(0, seq).Draw(t, "to")}, 0
	case 7:
		return &conversation.Forget{User: user, Order: persistence.Never}, 0
	case 8:
		return &conversation.Delete{}, generation
	}
	return l.draw(t, seq), 0
}

// Whenever rows are written, they are the same: as if each change had written its own at once, and as if a change that panicked half-way had never been.
func TestRowsAreTheSameWhenTheyAreWrittenLateAndChangesPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := log{}
		atOnce, late := newWritten(t), newWritten(t)
		at, generation, panics := start, persistence.Generation(100), 0
		in := conversation.Input{Policy: conversation.Policy{ExpireAfter: time.Hour, KeepUnread: rapid.Bool().Draw(t, "keep unread")}}
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			at = at.Add(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Minute, 40 * time.Minute, time.Hour}).Draw(t, "time"))
			in.Change, in.IfGeneration = drawChange(t, l, uint64(atOnce.state.Generation()))
			in.At, in.Now = at, at
			next := generation + 10
			in.Next = func() persistence.Generation { generation = next; return next }
			if rapid.IntRange(0, 3).Draw(t, "panics") == 0 {
				failing, after := in, rapid.IntRange(0, 3).Draw(t, "after")
				failing.Order = func(string) persistence.Instant {
					if after--; after < 0 {
						panic("half-way")
					}
					return 0
				}
				if panics++; late.apply(failing) {
					continue
				}
				failing.Order = nil
				atOnce.apply(failing)
			} else {
				late.apply(in)
				atOnce.apply(in)
			}
			atOnce.flush()
			if rapid.IntRange(0, 9).Draw(t, "flush") == 0 {
				late.flush()
				if rapid.Bool().Draw(t, "reload") {
					late.load()
				}
			}
		}
		late.flush()
		if diff := cmp.Diff(living(t, atOnce.rows), living(t, late.rows)); diff != "" {
			t.Fatalf("rows that were written at once, and late (-at once +late):\n%s", diff)
		}
		if n := late.state.Dirty(); n != 0 {
			t.Errorf("%d rows are dirty when all were taken", n)
		}
	})
}

// living leaves out what generations that are over have left behind: nobody reads that, and the reaper deletes it as it finds it. The others are as readers understand them.
func living(t *rapid.T, rows table) map[string]string {
	must := func(err error) {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
	}
	head, _, err := persistence.DecodeHead(rows[headKey])
	if rows[headKey] != nil {
		must(err)
	}
	alive := map[string]string{}
	for key, value := range rows {
		switch persistence.KindOf([]byte(key)) {
		case persistence.KindMembership:
			m, err := persistence.DecodeMembership(value)
			must(err)
			if m.Generation == head.Generation {
				m.Follow(head) // which is no change of the row
				alive[key] = string(m.Encode())
			}
		case persistence.KindTail:
			tail, err := persistence.DecodeTail(value)
			must(err)
			if tail.Generation == head.Generation {
				alive[key] = shown(tail)
			}
		default:
			alive[key] = string(value)
		}
	}
	return alive
}

// shown is what a tail says, which may be encoded in more than one way.
func shown(tail *persistence.Tail) string {
	senders := make([]string, persistence.TailSenders)
	for i := range senders {
		senders[i] = tail.Senders.Of(uint64(i))
	}
	var uncounted, everyone []uint64
	for seq := range uint64(persistence.TailMessages) {
		if tail.Uncounted.Has(seq) {
			uncounted = append(uncounted, seq)
		}
		if tail.Everyone.Has(seq) {
			everyone = append(everyone, seq)
		}
	}
	return fmt.Sprint(tail.Generation, tail.Version, tail.Last, uncounted, everyone, senders)
}

func TestAChangeThatPanicsLeavesMarksAndWhatIsToBeWrittenAsTheyWere(t *testing.T) {
	for _, change := range []conversation.Change{
		&conversation.Join{Users: []string{"bob", "carl"}},
		&conversation.Post{Seq: 2, Sender: "carl", Silent: true, MentionAll: true}, // which was overtaken
	} {
		w := newWritten(t)
		in := conversation.Input{At: start, Next: func() persistence.Generation { return 100 }}
		for _, before := range []conversation.Change{
			say(1, "ann", "bob"), &conversation.Post{Seq: 3, Sender: "ann", Silent: true, MentionAll: true}, &conversation.Leave{Users: []string{"bob"}},
		} {
			w.flush()
			in.Change = before
			w.apply(in)
		}
		known := w.state.Known()
		in.Change, in.Order = change, func(string) persistence.Instant { panic("half-way") }
		if !w.apply(in) {
			t.Fatalf("%s: it did not panic", change.Kind())
		}
		if diff := cmp.Diff(known, w.state.Known()); diff != "" {
			t.Errorf("%s has left a trace (-before +after):\n%s", change.Kind(), diff)
		}
		w.flush()
		if got := string(w.rows[membershipKey("bob")]); got != known.Members["bob"] {
			t.Errorf("%s: the row of bob, who left before, is %q, want %q", change.Kind(), got, known.Members["bob"])
		}
	}
}
