package persistence_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func TestOfTwoMembershipsTheOneIsNewerThatOutlivedTheLaterOrder(t *testing.T) {
	key := persistence.MembershipKey("bob", "lx:a")
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *persistence.Membership {
			m := drawMembership(t)
			m.Generation = persistence.Generation(rapid.Uint64Range(1, 2).Draw(t, label+" generation"))
			m.Outlived = persistence.Instant(rapid.Int64Range(0, 2).Draw(t, label+" outlived"))
			m.Version = rapid.Uint64Range(1, 3).Draw(t, label+" version")
			return m
		}
		a, b := draw("a"), draw("b")
		want := a.Generation > b.Generation
		if a.Generation == b.Generation {
			want = a.Outlived > b.Outlived || (a.Outlived == b.Outlived && a.Version > b.Version)
		}
		got, err := persistence.Newer(key, a.Encode(), b.Encode())
		if err != nil || got != want {
			t.Fatalf("Newer of (generation, outlived, version) (%d, %d, %d) and (%d, %d, %d) is %v, %v; want %v",
				a.Generation, a.Outlived, a.Version, b.Generation, b.Outlived, b.Version, got, err, want)
		}
	})
}

func TestAForgottenSenderIsNobodyAndTheOthersStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tail := &persistence.Tail{Generation: 1}
		senders := map[uint64]string{}
		last := rapid.Uint64Range(0, 2*persistence.TailSenders).Draw(t, "last")
		for seq := uint64(1); seq <= last; seq++ {
			tail.Extend(seq)
			user := rapid.SampledFrom([]string{"", "ann", "bob", "cid"}).Draw(t, "sender")
			tail.Senders.Set(seq, user)
			senders[seq] = user
		}
		sent := false
		for seq, user := range senders {
			sent = sent || (user == "bob" && last-seq < persistence.TailSenders)
		}
		if was := tail.Forget("bob"); was != sent {
			t.Fatalf("Forget says %v, want %v", was, sent)
		}
		stored, err := persistence.DecodeTail(tail.Encode())
		if err != nil {
			t.Fatal(err)
		}
		for seq := last; seq > 0 && last-seq < persistence.TailSenders; seq-- {
			want := senders[seq]
			if want == "bob" {
				want = persistence.Nobody
			}
			if got := stored.Senders.Of(seq); got != want {
				t.Fatalf("the sender of message %d is %q, want %q", seq, got, want)
			}
		}
		if tail.Forget("bob") {
			t.Fatal("bob was forgotten, and is forgotten again")
		}
	})
	for _, user := range []string{"", persistence.Nobody} {
		tail := &persistence.Tail{}
		tail.Extend(3)
		tail.Senders.Set(3, persistence.Nobody)
		if tail.Forget(user) {
			t.Errorf("Forget(%q) says that there is something to forget", user)
		}
	}
}
