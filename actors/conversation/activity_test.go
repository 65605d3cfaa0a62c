package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// active requires that the conversation's last activity, as lists order by it, is so much after the start.
func (w *world) active(want time.Duration) {
	w.Helper()
	if got := w.view("").LastActivity; !got.Equal(start.Add(want).Time()) {
		w.Fatalf("the last activity is %v after the start, want %v", got.Sub(start.Time()), want)
	}
}

func at(seq uint64, sent time.Duration) *conversation.Post {
	return &conversation.Post{Seq: seq, Sender: "ann", SentAt: start.Add(sent).Time()}
}

func TestTheLastActivityIsWhenTheLatestMessageWasSent(t *testing.T) {
	w := newWorld(t)
	w.do(at(1, -time.Hour))
	w.active(-time.Hour)
	w.do(at(2, -2*time.Hour))
	w.active(-time.Hour)
	w.advance(time.Minute)
	w.do(say(3, "ann"))
	w.active(time.Minute)
	w.do(&conversation.Post{Seq: 4, Sender: "ann", Silent: true})
	w.active(time.Minute)
}

func TestASentTimeInTheFutureIsCutToNow(t *testing.T) {
	w := newWorld(t)
	w.do(at(1, 5*time.Hour))
	w.active(0)
}

func TestAConversationWithoutMessagesWasActiveWhenItWasBorn(t *testing.T) {
	w := newWorld(t)
	w.do(join("ann"))
	w.active(0)
	w.advance(time.Minute)
	w.do(&conversation.Post{Seq: 1, Sender: "ann", Silent: true})
	w.active(0)
	w.do(at(2, -time.Hour))
	w.active(-time.Hour)
}

func TestTheFirstMessageAfterAJoinIsTheLastActivityInEveryGeneration(t *testing.T) {
	w := newWorld(t)
	w.do(at(1, 0))
	w.advance(2 * time.Hour)
	w.do(join("ann")) // the next generation, which goes on from the first message
	w.active(2 * time.Hour)
	w.do(at(2, time.Hour))
	w.active(time.Hour)
}

func TestAMessageThatWasOvertakenCountsAsActivityOnceOnly(t *testing.T) {
	w := newWorld(t)
	w.do(at(1, -time.Hour), at(3, -50*time.Minute), at(2, -40*time.Minute))
	w.active(-40 * time.Minute)
	w.advance(time.Minute)
	w.repeat(at(2, time.Minute), at(3, time.Minute), say(2, "ann"))
	w.active(-40 * time.Minute)
}

func TestDeadlinesFollowTheEnginesClock(t *testing.T) {
	for _, sent := range []time.Duration{-1000 * time.Hour, 0, 1000 * time.Hour} {
		w := newWorld(t)
		w.do(at(1, sent))
		if deadline := w.head().Deadline; deadline != start.Add(time.Hour) {
			t.Fatalf("sent %v from now: over at %d, want %d", sent, deadline, start.Add(time.Hour))
		}
	}
}

func TestOnlyMessagesThatAreNotSilentProlongALife(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Minute)
	w.do(
		&conversation.Post{Seq: 6, Sender: "ann", Silent: true},
		&conversation.Read{User: "bob", Seq: 6},
		&conversation.Clear{User: "bob", Seq: 6, Hide: true},
		join("carl"),
		leave("bob"),
	)
	w.repeat(say(5, "ann"))
	if got := w.head().Deadline; got != start.Add(time.Hour) {
		t.Fatalf("the deadline moved to %d from %d", got, start.Add(time.Hour))
	}
	w.do(say(7, "ann"))
	if got := w.head().Deadline; got != w.now.Add(time.Hour) {
		t.Fatalf("a post moved the deadline to %d, want %d", got, w.now.Add(time.Hour))
	}
}

func TestWithoutRetentionNothingExpires(t *testing.T) {
	w := newWorld(t)
	w.policy.ExpireAfter = 0
	out := w.do(say(1, "ann", "bob"))
	if head := w.head(); head.Deadline != persistence.Never || head.Due != 0 || out.Due != 0 || len(w.rows.dues()) != 0 {
		t.Fatalf("over at %d, due at %d, %d entries; want never, and none", head.Deadline, head.Due, len(w.rows.dues()))
	}
	w.advance(100_000 * time.Hour)
	w.do(say(2, "bob"))
	w.unread("ann", 1)
	if expires := w.view("ann").ExpiresAt; !expires.IsZero() {
		t.Fatalf("the view says that it expires at %v", expires)
	}
}
