package conversation_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// repack has the conversation leave memory packed, and come back, where it is alive. What was packed must be what the rows say.
func (w *world) repack() {
	w.Helper()
	packed, ok := w.state.Pack(nil, w.now)
	if !ok {
		w.reload()
		return
	}
	before := w.state.Known()
	unpacked := w.unpack(packed)
	if diff := cmp.Diff(before, unpacked.Known()); diff != "" && len(before.Members) <= packable {
		w.Fatalf("what was packed has changed (-packed +unpacked):\n%s", diff)
	}
	w.reload()
	if diff := cmp.Diff(w.all(w.state), w.all(unpacked)); diff != "" {
		w.Fatalf("what was packed is not what the rows say (-rows +unpacked):\n%s", diff)
	}
	w.state = unpacked
}

// packable is how many memberships are packed at most.
const packable = 8

// unpack unpacks what was packed on the world's desk, so that it is in the memory of what was unpacked before.
func (w *world) unpack(packed []byte) *conversation.State {
	w.Helper()
	s, err := w.desk.Unpack(name, packed, w.now)
	if err != nil || s == nil {
		w.Fatalf("unpack: %v, %v", s, err)
	}
	clear(packed) // others are written there
	return s
}

// all returns what a state knows once it was told of every membership.
func (w *world) all(s *conversation.State) conversation.Known {
	w.Helper()
	for row, err := range w.rows.Scan(context.Background(), persistence.MembersRange(name)) {
		user := ""
		if err == nil {
			_, user, err = persistence.ParseMemberKey(row.Key)
		}
		if err == nil {
			err = s.Learn(user, w.rows[membershipKey(user)])
		}
		if err != nil {
			w.Fatalf("learn: %v", err)
		}
	}
	known := s.Known()
	known.Complete = false // the rows do not tell
	return known
}

func TestWhatIsOverIsNeitherPackedNorUnpacked(t *testing.T) {
	w := two(t, 3)
	packed, ok := w.state.Pack([]byte("before"), w.now)
	if !ok || !bytes.HasPrefix(packed, []byte("before")) {
		t.Fatalf("%v, %q", ok, packed)
	}
	packed = packed[len("before"):]
	w.now = w.head().Deadline - 1
	if s, err := conversation.Unpack(name, packed, w.now); s == nil || err != nil {
		t.Errorf("before its deadline: %v, %v", s, err)
	}
	w.now++
	if s, err := conversation.Unpack(name, packed, w.now); s != nil || err != nil {
		t.Errorf("at its deadline: %v, %v", s, err)
	}
	if _, ok := w.state.Pack(nil, w.now); ok {
		t.Error("packed at its deadline")
	}
	if b, ok := newWorld(t).state.Pack([]byte("before"), w.now); ok || string(b) != "before" {
		t.Errorf("what never was: %q, %v", b, ok)
	}
}

func TestAConversationOfTwoIsPackedInAHundredBytesAndTwoBitsForEachMessageOfItsTail(t *testing.T) {
	for messages, most := range map[uint64]int{2: 100, 100: 100 + 100/4, 1000: 100 + 256/4} {
		w := two(t, messages)
		w.do(&conversation.Read{User: "ann", Seq: messages}, &conversation.Read{User: "bob", Seq: messages - 1})
		packed, ok := w.state.Pack(nil, w.now)
		if !ok {
			t.Fatal("not packed")
		}
		if len(packed) > most {
			t.Errorf("after %d messages it takes %d bytes, want %d: %q", messages, len(packed), most, packed)
		}
	}
}

func TestWhatIsPackedKnowsWhoIsAMember(t *testing.T) {
	for _, members := range []int{2, 8, 9} {
		w := newWorld(t)
		users := make([]string, members)
		for i := range users {
			users[i] = fmt.Sprint("user", i)
		}
		w.do(&conversation.Post{Seq: 1, Sender: users[0], Members: users})
		packed, _ := w.state.Pack(nil, w.now)
		s, err := conversation.Unpack(name, packed, w.now)
		if err != nil {
			t.Fatal(err)
		}
		read := &conversation.Read{User: users[1], Seq: 1}
		if missing := s.Missing(read, w.now); (len(missing) == 0) != (members <= 8) {
			t.Errorf("of %d members the memberships of %v must be read", members, missing)
		}
		if missing := s.Missing(&conversation.Read{User: "stranger", Seq: 1}, w.now); (len(missing) == 0) != (members <= 8) {
			t.Errorf("of %d members it is not known that %v are none", members, missing)
		}
	}
}

func TestAConversationThatEverybodyLeftBeforeAMessageCanBePacked(t *testing.T) {
	w := newWorld(t)
	w.do(join("ann"), &conversation.Leave{Users: []string{"ann"}})
	w.reload() // so that nobody's membership is known
	w.repack()
}
