package conversation_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// openPack is a conversation that is packed and open, and the State that it was: whatever is added to the one is applied to the other.
type openPack struct {
	packed []byte
	state  *conversation.State
	rows   table // that are dirty in the state
	added  int   // posts, in all

	renewed bool // it was packed anew, with what was dirty
}

// propose has a post added, where that is possible, and requires that it comes to what applying it comes to. In the worlds of all tests every post is.
func (o *openPack) propose(w *world, in conversation.Input) {
	w.Helper()
	post, ok := in.Change.(*conversation.Post)
	if !ok {
		o.packed = nil
		return
	}
	if o.packed == nil && !o.pack(w) {
		return
	}
	clean := !conversation.Soiled(o.packed)
	before := bytes.Clone(o.packed)
	added, ok := conversation.AddPost(o.packed, name, &in, post)
	if !ok && o.renew(w, conversation.Worn) {
		added, ok = conversation.AddPost(o.packed, name, &in, post)
	}
	if !ok {
		if !o.renewed && !bytes.Equal(before, o.packed) {
			w.Fatalf("%+v was not added, and changed what is packed", post)
		}
		o.packed = nil
		return
	}
	o.added++
	in.Next = func() persistence.Generation { w.Fatalf("%+v was added, and begins a generation", post); return 0 }
	if missing := o.state.Missing(post, in.At); len(missing) > 0 {
		w.Fatalf("%+v was added, and needs the memberships of %v", post, missing)
	}
	out, err := o.state.Apply(in)
	if err != nil || !out.Changed || len(out.Writes) > 0 || out.Dirtied != 3 || out.Due != 0 || out.Ended != nil || !out.Everyone {
		w.Fatalf("%+v was added, and applied it comes to %+v, %v", post, out, err)
	}
	generation, version, last := o.state.Standing()
	if want := (conversation.Added{Generation: generation, Version: version, LastSeq: last, Stamp: out.Stamp, First: clean}); added != want {
		w.Fatalf("%+v: added: %+v, applied: %+v", post, added, want)
	}
	for _, write := range o.state.TakeDirty() {
		o.rows[string(write.Key)] = write.Value
	}
	o.check(w)
	if o.added%3 == 0 { // as when a batch of the journal is written
		conversation.Cleaned(o.packed)
		o.rows = table{}
		o.check(w)
		o.renew(w, conversation.Long)
	}
}

// renew packs anew what has no room for one more post, or is long, with all that is dirty.
func (o *openPack) renew(w *world, due func([]byte) (int, bool)) bool {
	w.Helper()
	o.renewed = false
	previews, is := due(o.packed)
	if !is {
		return false
	}
	state, err := conversation.Unpack(name, o.packed, w.now)
	if err != nil {
		w.Fatalf("unpack: %v", err)
	}
	if state == nil { // over
		return false
	}
	packed, ok := state.PackOpen(nil, w.now, previews)
	if !ok || conversation.Soiled(packed) != conversation.Soiled(o.packed) {
		w.Fatalf("it is not packed anew as it was")
	}
	if _, long := conversation.Long(packed); long {
		w.Fatalf("it is long when it was just packed anew")
	}
	o.packed, o.renewed = packed, true
	o.check(w)
	return true
}

func (o *openPack) pack(w *world) bool {
	w.Helper()
	packed, ok := w.state.PackOpen(nil, w.now, 0)
	if !ok {
		return false
	}
	o.packed, o.rows = packed, table{}
	state, err := conversation.Unpack(name, packed, w.now)
	if err != nil || state == nil {
		w.Fatalf("unpack: %v, %v", state, err)
	}
	o.state = state
	if diff := cmp.Diff(w.all(w.state), w.all(state)); diff != "" {
		w.Fatalf("what was packed open has changed (-packed +unpacked):\n%s", diff)
	}
	if o.state, err = conversation.Unpack(name, packed, w.now); err != nil {
		w.Fatalf("unpack: %v", err)
	}
	return true
}

// check requires that what is packed is the state, and that as much of it is dirty.
func (o *openPack) check(w *world) {
	w.Helper()
	unpacked, err := conversation.Unpack(name, bytes.Clone(o.packed), 0)
	if err != nil || unpacked == nil {
		w.Fatalf("unpack: %v, %v", unpacked, err)
	}
	if diff := cmp.Diff(o.state.Known(), unpacked.Known()); diff != "" {
		w.Fatalf("what posts were added to is not what they were applied to (-applied +added):\n%s", diff)
	}
	rows := table{}
	for _, write := range unpacked.TakeDirty() {
		rows[string(write.Key)] = write.Value
	}
	if diff := cmp.Diff(o.rows, rows); diff != "" || (len(rows) > 0) != conversation.Soiled(o.packed) {
		w.Fatalf("rows yet to be taken (-applied +added):\n%s", diff)
	}
}

func TestPostsOfMembersAreAddedToWhatIsPacked(t *testing.T) {
	for _, members := range []int{1, 2, 4, 5, 8} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			w := newWorld(t)
			users := make([]string, members)
			for i := range users {
				users[i] = fmt.Sprint("user", i)
			}
			w.do(say(1, users[0], users...))
			const posts = 300
			for seq := uint64(2); seq < posts+2; seq++ {
				w.do(say(seq, users[int(seq)%len(users)]))
			}
			if w.open.added != posts {
				t.Errorf("%d of %d posts were added", w.open.added, posts)
			}
		})
	}
}

func TestWhatIsNotSimpleIsNotAdded(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *world)
		post    *conversation.Post
		alter   func(w *world)
	}{
		"a repeat":            {post: say(3, "ann")},
		"a gap":               {post: say(5, "ann")},
		"a stranger":          {post: say(4, "carl")},
		"a new member":        {post: say(4, "ann", "carl")},
		"silent":              {post: &conversation.Post{Seq: 4, Sender: "ann", Silent: true}},
		"a mention":           {post: &conversation.Post{Seq: 4, Sender: "ann", Mentions: []string{"bob"}}},
		"a mention of all":    {post: &conversation.Post{Seq: 4, Sender: "ann", MentionAll: true}},
		"a bot":               {post: &conversation.Post{Seq: 4, Sender: "ann", Unattended: true}},
		"a long preview":      {post: &conversation.Post{Seq: 4, Sender: "ann", Preview: make([]byte, 100)}},
		"of the next hour":    {post: say(4, "ann"), alter: func(w *world) { w.advance(59 * time.Minute) }},
		"after the deadline":  {post: say(4, "ann"), alter: func(w *world) { w.advance(2 * time.Hour) }},
		"another policy":      {post: say(4, "ann"), alter: func(w *world) { w.policy.ExpireAfter = time.Minute }},
		"by idleness":         {post: say(4, "ann"), alter: func(w *world) { w.policy.ExpireIdle = time.Minute }},
		"by age":              {post: say(4, "ann"), alter: func(w *world) { w.policy.ExpireAge = time.Hour }},
		"kept unread":         {post: say(4, "ann"), alter: func(w *world) { w.policy.KeepUnread = true }},
		"another generation":  {post: say(4, "ann"), alter: func(w *world) { w.ifGeneration = 1 }},
		"who left":            {post: say(4, "bob"), prepare: func(w *world) { w.do(&conversation.Leave{Users: []string{"bob"}}) }},
		"who marked it":       {post: say(4, "bob"), prepare: func(w *world) { w.do(&conversation.MarkUnread{User: "bob"}) }},
		"who read ahead":      {post: say(4, "bob"), prepare: func(w *world) { w.do(&conversation.Read{User: "bob", Seq: 9}) }},
		"held":                {post: say(4, "ann"), prepare: func(w *world) { w.do(&conversation.Hold{On: true}) }},
		"a preview too large": {post: &conversation.Post{Seq: 4, Sender: "ann", Preview: []byte("long")}, alter: func(w *world) { w.policy.MaxPreview = 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := two(t, 3)
			if test.prepare != nil {
				test.prepare(w)
			}
			w.open = openPack{}
			w.open.pack(w)
			if test.alter != nil {
				test.alter(w)
			}
			w.propose(test.post) //nolint:errcheck // some are refused
			if w.open.added != 0 {
				t.Errorf("%+v was added", test.post)
			}
		})
	}
}
