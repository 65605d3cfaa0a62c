package persistence_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// A membership that was written before any number of rewinds is cut to the lowest of them, as if each had rewritten it.
func TestAMembershipFollowsAllRewindsThatItMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := &persistence.Head{LastSeq: 1_000}
		type member struct {
			row  persistence.Membership // written once, when it joined
			want uint64
		}
		var members []*member
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "join") {
				members = append(members, &member{persistence.Membership{ReadSeq: head.LastSeq, Rewinds: head.LastRewind()}, head.LastSeq})
				continue
			}
			head.LastSeq += rapid.Uint64Range(1, 50).Draw(t, "posts")
			to := rapid.Uint64Range(0, head.LastSeq-1).Draw(t, "to")
			if !head.Rewind(to) {
				t.Fatalf("rewind to %d was refused after %d", to, len(head.Rewinds))
			}
			for _, m := range members {
				m.want = min(m.want, to)
			}
		}
		head, _, err := persistence.DecodeHead(head.Encode())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			m.row.Follow(head)
			if m.row.ReadSeq != m.want || m.row.Rewinds != head.LastRewind() {
				t.Fatalf("after %+v: read-to is %d of rewind %d, want %d of %d", head.Rewinds, m.row.ReadSeq, m.row.Rewinds, m.want, head.LastRewind())
			}
		}
	})
}

func TestARewindCutsEveryMark(t *testing.T) {
	head := &persistence.Head{LastSeq: 1_057, LoudSeq: 1_056, Floor: 3, LastSender: "ann", Preview: []byte("oops"), SentAt: 5, Members: 2}
	head.Rewind(57)
	want := &persistence.Head{LastSeq: 57, LoudSeq: 57, Floor: 3, Members: 2, Rewinds: []persistence.Rewind{{Number: 1, To: 57}}}
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	mentions := []uint64{40, 57, 58, 1_057}
	m := &persistence.Membership{
		VisibleFrom: 1_000, VisibleTo: 1_001, ReadSeq: 1_002, DeliveredSeq: 1_003, ClearedSeq: 1_004, HiddenAt: 1_005, Mentions: mentions, Pin: 9_999,
	}
	m.Follow(head)
	cut := &persistence.Membership{
		VisibleFrom: 58, VisibleTo: 57, ReadSeq: 57, DeliveredSeq: 57, ClearedSeq: 57, HiddenAt: 57, Mentions: []uint64{40, 57}, Pin: 9_999, Rewinds: 1,
	}
	if diff := cmp.Diff(cut, m); diff != "" {
		t.Errorf("membership (-want +got):\n%s", diff)
	}
	if !slices.Equal(mentions, []uint64{40, 57, 58, 1_057}) {
		t.Errorf("the mentions that a reader may hold were changed: %v", mentions)
	}
}

func TestAHeadKeepsABoundedNumberOfRewinds(t *testing.T) {
	head := &persistence.Head{LastSeq: 10_000}
	for i := range uint64(persistence.MaxRewinds) {
		if !head.Rewind(i) {
			t.Fatalf("rewind %d was refused", i+1)
		}
	}
	if head.Rewind(1_000) {
		t.Errorf("there are %d rewinds, more than %d", len(head.Rewinds), persistence.MaxRewinds)
	}
	if !head.Rewind(5) || len(head.Rewinds) != 6 {
		t.Errorf("a rewind that makes others void takes their place: there are %d, want 6", len(head.Rewinds))
	}
}

// The tail knows of each message that is still among its last what was noted of it, unless messages that were taken back had its place.
func TestATailThatWasRewoundInventsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tail persistence.Tail
		type note struct {
			silent bool
			sender string
		}
		noted := map[uint64]note{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if tail.Last > 0 && rapid.IntRange(0, 2).Draw(t, "back") == 0 {
				last := tail.Last
				tail.Rewind(rapid.Uint64Range(0, last-1).Draw(t, "to"))
				for seq := range noted {
					// What is after the new end is gone, and with it what had left the tail by the old one.
					if seq > tail.Last || last-seq >= persistence.TailMessages {
						delete(noted, seq)
					} else if last-seq >= persistence.TailSenders {
						noted[seq] = note{silent: noted[seq].silent}
					}
				}
				continue
			}
			last := tail.Last + rapid.Uint64Range(1, 1_500).Draw(t, "posts")
			for seq := tail.Last + 1; seq <= last; seq++ {
				tail.Extend(seq)
				noted[seq] = note{seq%3 == 0, []string{"ann", "bob"}[seq%2]}
				tail.Uncounted.Set(seq, noted[seq].silent)
				tail.Senders.Set(seq, noted[seq].sender)
			}
		}
		for back := range min(tail.Last, persistence.TailMessages) {
			seq := tail.Last - back
			if got := tail.Uncounted.Has(seq); got != noted[seq].silent {
				t.Fatalf("%d, %d before the last: silent is %v, want %v", seq, back, got, noted[seq].silent)
			}
			if back < persistence.TailSenders && tail.Senders.Of(seq) != noted[seq].sender {
				t.Fatalf("%d, %d before the last: sent by %q, want %q", seq, back, tail.Senders.Of(seq), noted[seq].sender)
			}
		}
	})
}
