package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
)

// settled is a conversation whose members are given: ann, bob and carl take part, dora left and kept it, eve never was there.
func settled(t tester) *world {
	t.Helper()
	w := newWorld(t)
	w.do(join("ann", "bob", "carl", "dora"), say(1, "ann"), say(2, "dora"), &conversation.Leave{Users: []string{"dora"}, Keep: true}, say(3, "bob"))
	return w
}

// shuffled applies the changes in some order, some of them more than once, and passivates the conversation now and then.
func (w *world) shuffled(t *rapid.T, changes []conversation.Change) {
	again := rapid.SliceOfN(rapid.SampledFrom(changes), 0, len(changes)).Draw(t, "repeated")
	order := rapid.Permutation(append(again, changes...)).Draw(t, "order")
	for _, change := range order {
		w.do(change)
		if rapid.IntRange(0, 4).Draw(t, "passivate") == 4 {
			w.reload()
		}
	}
}

// same requires that two conversations look the same to everybody.
func same(t *rapid.T, first, second *world) {
	t.Helper()
	for _, user := range append([]string{"nobody"}, cast...) {
		if diff := cmp.Diff(first.glimpse(user), second.glimpse(user), cmp.AllowUnexported(settings{})); diff != "" {
			t.Fatalf("in another order %s sees (-first +second):\n%s", user, diff)
		}
	}
}

// drawPost draws the message with that number. Only those who are there whatever the order may be named by it: nobody remembers a mention for somebody
// who is not a member yet.
func drawPost(t *rapid.T, seq uint64, named []string) *conversation.Post {
	p := log{}.draw(t, seq)
	p.Mentions = nil
	if len(named) > 0 {
		p.Mentions = rapid.SliceOfN(rapid.SampledFrom(named), 0, 2).Draw(t, "named")
	}
	return p
}

func TestPostsReadsAndClearsComeOutTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var changes []conversation.Change
		posts := rapid.Uint64Range(1, 8).Draw(t, "posts")
		for seq := range posts {
			changes = append(changes, drawPost(t, seq+4, cast[:3]))
		}
		for range rapid.IntRange(0, 8).Draw(t, "marks") {
			user, seq := rapid.SampledFrom(cast[:4]).Draw(t, "user"), rapid.Uint64Range(1, posts+6).Draw(t, "seq")
			if rapid.Bool().Draw(t, "read") {
				changes = append(changes, &conversation.Read{User: user, Seq: seq})
			} else {
				changes = append(changes, &conversation.Clear{User: user, Seq: seq, Hide: rapid.Bool().Draw(t, "hide")})
			}
		}
		first, second := settled(t), settled(t)
		first.shuffled(t, changes)
		second.shuffled(t, changes)
		same(t, first, second)
	})
}

func TestTheFirstPostsOfALifeComeOutTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]uint64{1, 1_000}).Draw(t, "base")
		var changes []conversation.Change
		for seq := range rapid.Uint64Range(1, 8).Draw(t, "posts") {
			changes = append(changes, drawPost(t, base+seq, nil))
		}
		first, second := newWorld(t), newWorld(t)
		first.shuffled(t, changes)
		second.shuffled(t, changes)
		same(t, first, second)
	})
}

func TestJoinsAndLeavesWithRevisionsComeOutTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type step struct {
			change   conversation.Change
			revision uint64
		}
		var steps []step
		for revision := range rapid.Uint64Range(1, 8).Draw(t, "steps") {
			var change conversation.Change = join(drawUsers(t, "users", 1)...)
			if rapid.Bool().Draw(t, "leave") {
				change = &conversation.Leave{Users: drawUsers(t, "users", 1), Keep: rapid.Bool().Draw(t, "keep")}
			}
			steps = append(steps, step{change, revision + 1})
		}
		roster := func() map[string]place {
			w := settled(t)
			again := rapid.SliceOfN(rapid.SampledFrom(steps), 0, len(steps)).Draw(t, "repeated")
			for _, s := range rapid.Permutation(append(again, steps...)).Draw(t, "order") {
				w.revision = s.revision
				w.do(s.change)
			}
			places := map[string]place{}
			for _, user := range cast {
				if places[user] = w.place(user); places[user] == listed && !w.takesPart(user) {
					places[user] = "kept"
				}
			}
			return places
		}
		if diff := cmp.Diff(roster(), roster()); diff != "" {
			t.Fatalf("in another order (-first +second):\n%s", diff)
		}
	})
}

func TestAmendmentsDeliveriesAndPostsComeOutTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts := rapid.Uint64Range(1, 8).Draw(t, "posts")
		last := drawPost(t, posts+4, cast[:3])
		var changes []conversation.Change
		for seq := range posts {
			changes = append(changes, drawPost(t, seq+4, cast[:3]))
		}
		for range rapid.IntRange(1, 8).Draw(t, "amendments and deliveries") {
			seq := rapid.Uint64Range(1, posts+4).Draw(t, "seq")
			if rapid.Bool().Draw(t, "delivery") {
				changes = append(changes, delivery(rapid.SampledFrom(cast[:4]).Draw(t, "user"), seq))
			} else {
				changes = append(changes, &conversation.Amend{Seq: seq, Preview: fmt.Append(nil, "edited ", seq), Retracted: rapid.Bool().Draw(t, "retracted")})
			}
		}
		first, second := settled(t), settled(t)
		for _, w := range []*world{first, second} {
			w.do(last) // no amendment overtakes its post's number; that its very post comes later is all the same
			w.shuffled(t, changes)
		}
		same(t, first, second)
	})
}

func TestDraftsComeOutTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var changes []conversation.Change
		for edit := range rapid.IntRange(2, 8).Draw(t, "edits") {
			text := []byte(rapid.SampledFrom([]string{"", "hel", "hello"}).Draw(t, "text"))
			changes = append(changes, draft(rapid.SampledFrom(cast[:2]).Draw(t, "user"), string(text), time.Duration(edit-10)*time.Minute))
		}
		first, second := settled(t), settled(t)
		first.shuffled(t, changes)
		second.shuffled(t, changes)
		same(t, first, second)
	})
}
