package conversation_test

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

const (
	name  = "group:42"
	start = persistence.Instant(1_700_000_000_000_000)
)

// tester is what *testing.T, *testing.B and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world is one conversation with everything around it: its rows, a clock that stands still, an actor that feeds the state and a reaper. After every step the
// rows are checked against each other (unless they are many), and every row that replaces another must be newer: readers tell them apart by that.
type world struct {
	tester

	rows   table
	state  *conversation.State
	desk   conversation.Desk // of states that are unpacked
	now    persistence.Instant
	policy conversation.Policy

	ifGeneration, revision uint64 // of the next proposals
	order                  func(user string) persistence.Instant

	generation persistence.Generation // drawn last

	open openPack // posts are added to it, too
}

// newWorld returns a world in which nothing was said yet and an hour of silence ends a conversation.
func newWorld(t tester) *world {
	w := &world{tester: t, rows: table{}, now: start, policy: conversation.Policy{ExpireAfter: time.Hour}, generation: 100}
	w.reload()
	return w
}

// reload passivates the conversation and activates it again.
func (w *world) reload() {
	w.Helper()
	state, err := conversation.Load(name, w.rows[headKey], w.rows[tailKey], w.rows[string(persistence.RosterKey(name))])
	if err != nil {
		w.Fatalf("load: %v", err)
	}
	w.state = state
}

var (
	headKey = string(persistence.HeadKey(name))
	tailKey = string(persistence.TailKey(name))
)

func (w *world) advance(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) propose(change conversation.Change) (conversation.Outcome, error) {
	w.Helper()
	if err := conversation.Check(change); err != nil {
		return conversation.Outcome{}, err
	}
	for _, user := range w.state.Missing(change, w.now) {
		if err := w.state.Learn(user, w.rows[membershipKey(user)]); err != nil {
			w.Fatalf("learn of %s: %v", user, err)
		}
	}
	in := conversation.Input{
		Change: change, IfGeneration: w.ifGeneration, Revision: w.revision, At: w.now, Policy: w.policy, Order: w.order,
		Next: func() persistence.Generation { w.generation += 10; return w.generation },
	}
	w.open.propose(w, in)
	out, err := w.state.Apply(in)
	if err == nil && out.Changed != (out.Rows() > 0) {
		w.Fatalf("changed is %v, with %d writes", out.Changed, out.Rows())
	}
	w.write(out, false)
	return out, err
}

// do proposes what must be accepted.
func (w *world) do(changes ...conversation.Change) (last conversation.Outcome) {
	w.Helper()
	for _, change := range changes {
		out, err := w.propose(change)
		if err != nil {
			w.Fatalf("%s %+v: %v", change.Kind(), change, err)
		}
		last = out
	}
	return last
}

// repeat proposes what must be accepted and change nothing.
func (w *world) repeat(changes ...conversation.Change) {
	w.Helper()
	for _, change := range changes {
		if out := w.do(change); out.Changed || out.Ended != nil {
			w.Fatalf("%s %+v changed something: %d rows; ended: %+v", change.Kind(), change, out.Rows(), out.Ended)
		}
	}
}

// refused proposes what must be refused, and change nothing.
func (w *world) refused(change conversation.Change, kind error, field string) {
	w.Helper()
	out, err := w.propose(change)
	refusal, ok := errors.AsType[*conversation.Error](err)
	if !ok || !errors.Is(err, kind) || refusal.Field != field {
		w.Fatalf("%s %+v: got error %v; want %v of the field %q", change.Kind(), change, err, kind, field)
	}
	if out.Changed || out.Rows() > 0 || out.Ended != nil {
		w.Fatalf("%s %+v was refused, but changed %d rows; ended: %+v", change.Kind(), change, out.Rows(), out.Ended)
	}
}

// judge has the generation judged whose due entry stands in the index. What the judgement asks is answered from the rows.
func (w *world) judge() (conversation.Verdict, conversation.Outcome) {
	w.Helper()
	head := w.head()
	verdict, out := w.state.Judge(head.Generation, head.Due, w.now)
	for round := 0; verdict == conversation.Unsure; round++ {
		if round > 2 {
			w.Fatalf("unsure, and nothing has changed since it was asked")
		}
		verdict, out = w.conclude(w.answer(w.state.Ask()))
	}
	w.write(out, true)
	return verdict, out
}

// answer finds out from the rows who has something unread.
func (w *world) answer(q *conversation.Question) *conversation.Answer {
	w.Helper()
	rows, ok, err := conversation.Decode(w.rows[headKey], w.rows[tailKey], nil, 0)
	if err != nil || !ok {
		w.Fatalf("decode: %v, %v", ok, err)
	}
	for row, err := range w.rows.Scan(context.Background(), persistence.MembersRange(name)) {
		user := ""
		if err == nil {
			_, user, err = persistence.ParseMemberKey(row.Key)
		}
		if err == nil {
			err = rows.SetMembership(w.rows[membershipKey(user)])
		}
		if err != nil {
			w.Fatalf("%s: %v", user, err)
		}
		if rows.HasUnread(user) {
			return &conversation.Answer{Question: q, User: user}
		}
	}
	return &conversation.Answer{Question: q}
}

// conclude gives the judgement of the entry in the index an answer. What comes of it is not written yet.
func (w *world) conclude(answer *conversation.Answer) (conversation.Verdict, conversation.Outcome) {
	w.Helper()
	if !w.state.Knows(answer.User) {
		if err := w.state.Learn(answer.User, w.rows[membershipKey(answer.User)]); err != nil {
			w.Fatalf("learn of %s: %v", answer.User, err)
		}
	}
	head := w.head()
	return w.state.Conclude(answer, head.Generation, head.Due, w.now)
}

// write carries an outcome's writes out, in their order. A judgement writes the head with the version that it has.
func (w *world) write(out conversation.Outcome, judged bool) {
	w.Helper()
	due := persistence.Instant(0)
	for _, write := range append(out.Writes, w.state.TakeDirty()...) {
		key := string(write.Key)
		old, present := w.rows[key]
		switch kind := persistence.KindOf(write.Key); {
		case kind == persistence.KindDue:
			if !write.Delete && !write.IfPresent {
				_, due, _, _ = persistence.ParseDueKey(write.Key)
			}
		case kind == persistence.KindEntry:
			if write.User == "" {
				w.Fatalf("%q: the write does not say whose row it is", key)
			}
			if present && !write.Delete && bytes.Equal(write.Value, old) {
				w.Fatalf("%q: the entry is there already", key)
			}
			if !present && write.Delete && !write.IfPresent {
				w.Fatalf("%q: there is no such entry to delete", key)
			}
		case kind == persistence.KindRemoval:
			if write.User == "" || write.Delete {
				w.Fatalf("%q: the write does not say whose row it is, or deletes it", key)
			}
		case kind == persistence.KindMembership || kind == persistence.KindMember:
			if write.User == "" {
				w.Fatalf("%q: the write does not say whose row it is", key)
			}
			fallthrough
		default:
			if !present || judged || write.Delete || kind == persistence.KindMember {
				break
			}
			if newer, err := persistence.Newer(write.Key, write.Value, old); err != nil || (!newer && !w.pinned(write.Value, old)) {
				w.Fatalf("%q: the row is not newer than the one it replaces (%v)", key, err)
			}
		}
		switch {
		case write.Delete:
			delete(w.rows, key)
		case present || !write.IfPresent:
			w.rows[key] = bytes.Clone(write.Value)
		}
	}
	if out.Due != due {
		w.Fatalf("the outcome is due at %d, the entry among its writes at %d", out.Due, due)
	}
	if len(w.rows) < 100 {
		w.check()
	}
}

// pinned reports whether a row is a head that differs from the one before in its count of pins or its retention, which its version does not stand for, and in nothing else.
func (w *world) pinned(row, old []byte) bool {
	after, _, err := persistence.DecodeHead(row)
	if err != nil || after == nil || bytes.Equal(row, old) {
		return false
	}
	before, _, err := persistence.DecodeHead(old)
	if err != nil || before == nil {
		return false
	}
	after.Pins, after.Deadline, after.Due = before.Pins, before.Deadline, before.Due
	after.Kept, after.Witness, after.Touched = before.Kept, before.Witness, before.Touched
	return bytes.Equal(after.Encode(), before.Encode())
}

// check requires that the rows do not contradict each other.
func (w *world) check() {
	w.Helper()
	for _, fault := range persistencetest.Check(context.Background(), w.rows) {
		w.Fatalf("the rows contradict each other: %v", fault)
	}
}

// reap deletes a generation as the reaper does.
func (w *world) reap(e *conversation.Ending) {
	w.Helper()
	for key, value := range w.rows {
		generation, err := persistence.GenerationOf(value)
		switch kind := persistence.KindOf([]byte(key)); {
		case kind == persistence.KindDue:
			if _, _, of, _ := persistence.ParseDueKey([]byte(key)); of == e.Generation {
				delete(w.rows, key)
			}
		case err != nil:
			w.Fatalf("%q: %v", key, err)
		case generation > e.Generation:
		case kind == persistence.KindHead:
			w.rows[key] = persistence.Tombstone{Generation: e.Generation, LastSeq: e.LastSeq}.Encode()
		default:
			delete(w.rows, key)
		}
	}
	w.write(conversation.Outcome{}, false)
}

func say(seq uint64, sender string, members ...string) *conversation.Post {
	return &conversation.Post{Seq: seq, Sender: sender, Members: members}
}

// two is a conversation in which ann and bob take part and ann said n messages.
func two(t tester, n uint64) *world {
	t.Helper()
	w := newWorld(t)
	for seq := range n {
		w.do(say(seq+1, "ann", "ann", "bob"))
	}
	return w
}
