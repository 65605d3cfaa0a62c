package conversation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// rowsOf returns what a reader finds; false where there is no conversation.
func (w *world) rowsOf(user string) (conversation.Rows, bool) {
	w.Helper()
	rows, ok, err := conversation.Decode(w.rows[headKey], w.rows[tailKey], w.rows[membershipKey(user)], w.now)
	if err != nil {
		w.Fatalf("decode: %v", err)
	}
	return rows, ok
}

// sum returns how a user's unread count comes about, after it was held against the view's.
func (w *world) sum(user string) conversation.UnreadSum {
	w.Helper()
	rows, ok := w.rowsOf(user)
	if !ok {
		return conversation.UnreadSum{}
	}
	view := rows.MemberView(user)
	u, member := rows.UnreadSum(user)
	if member != (view != nil) {
		w.Fatalf("%s: the sum says member %v, the view is %+v", user, member, view)
	}
	if !member {
		return u
	}
	taken := min(u.Last, max(u.Read, u.Cleared, u.Before))
	switch {
	case u.From != taken || u.Last-taken-u.Uncounted-u.Own != u.Unread:
		w.Fatalf("%s: %+v does not sum up", user, u)
	case u.Unread != view.Unread || u.Marked != view.MarkedUnread || rows.HideInForce() != view.Hide:
		w.Fatalf("%s: the sum is %+v, the view shows %+v", user, u, view)
	case len(u.Mentions.Named)+len(u.Mentions.Everyone) != int(view.Mentions):
		w.Fatalf("%s: the mentions are %+v, the view shows %d", user, u.Mentions, view.Mentions)
	case u.ReadAhead > 0 && u.Unread > 0:
		w.Fatalf("%s: read ahead by %d with %d unread", user, u.ReadAhead, u.Unread)
	}
	return u
}

func TestTheSumOfUnreadIsWhatTheViewShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.policy.MaxSeqJump, w.policy.ReceiptsUpTo = modelJump, modelReceipts
		p := &play{world: w, log: log{}}
		t.Repeat(map[string]func(*rapid.T){
			"post": p.post, "post another": p.post, "post a third": p.post, "join": p.join, "leave": p.leave, "read": p.read, "clear": p.clear,
			"amend": p.amend, "mark unread": p.markUnread, "set": p.set, "delete": p.delete, "repeat": p.repeat, "pass time": p.passTime,
			"": func(*rapid.T) {
				for _, user := range append(cast, "nobody") {
					p.sum(user)
				}
			},
		})
	})
}

func TestEachLineOfTheSumOfUnreadIsWhatItSays(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bob", "bot"), &conversation.Post{Seq: 2, Sender: "ann", Silent: true}, say(3, "ann"), &conversation.Amend{Seq: 3, Retracted: true})
	w.do(&conversation.Post{Seq: 4, Sender: "bot", Unattended: true}, &conversation.Post{Seq: 5, Sender: "ann", Mentions: []string{"bot"}},
		&conversation.Post{Seq: 6, Sender: "ann", MentionAll: true}, &conversation.Post{Seq: 7, Sender: "ann", MentionAll: true, Mentions: []string{"bot"}})
	want := conversation.UnreadSum{
		Last: 7, Uncounted: 2, Own: 1, Unread: 4,
		Mentions: conversation.Mentions{Named: []uint64{5, 7}, Everyone: []uint64{6}, Remembered: 2},
	}
	if diff := cmp.Diff(want, w.sum("bot")); diff != "" {
		t.Errorf("bot (-want +got):\n%s", diff)
	}
	w.do(&conversation.Clear{User: "bot", Seq: 4}, &conversation.Read{User: "bot", Seq: 5}, &conversation.MarkUnread{User: "bot"})
	want = conversation.UnreadSum{
		Last: 7, Read: 5, Cleared: 4, From: 5, Unread: 2, Marked: true,
		Mentions: conversation.Mentions{Named: []uint64{7}, Everyone: []uint64{6}, Remembered: 2},
	}
	if diff := cmp.Diff(want, w.sum("bot")); diff != "" {
		t.Errorf("bot, having read (-want +got):\n%s", diff)
	}
	w.do(&conversation.Read{User: "bot", Seq: 17})
	if u := w.sum("bot"); u.ReadAhead != 10 || u.From != 7 || u.Unread != 0 || u.Marked {
		t.Errorf("bot, having read ahead: %+v, want 10 ahead and nothing unread", u)
	}
	w.do(join("cid"), say(8, "ann"), &conversation.Leave{Users: []string{"cid"}, Keep: true}, say(9, "ann"))
	if u := w.sum("cid"); u.Before != 7 || u.From != 7 || u.Last != 8 || u.Unread != 1 {
		t.Errorf("cid, who joined behind 7 and left behind 8: %+v, want one unread", u)
	}
}

func TestTheSumOfUnreadIsExactAsFarAsSingleMessagesAreKnown(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bob"))
	exact := func(when string, exact bool, older, senders uint64) {
		t.Helper()
		if u := w.sum("bob"); u.Exact() != exact || u.Older != older || u.SendersUnknown != senders {
			t.Errorf("%s: %+v, want exact %v, %d older than the tail, %d of unknown sender", when, u, exact, older, senders)
		}
	}
	w.do(say(persistence.TailSenders, "ann"))
	exact("as many as senders are known", true, 0, 0)
	w.do(say(persistence.TailSenders+1, "ann"))
	exact("one more", false, 0, 1)
	w.do(say(persistence.TailMessages, "ann"))
	exact("as many as are marked one by one", false, 0, persistence.TailMessages-persistence.TailSenders)
	w.do(say(persistence.TailMessages+5, "ann"))
	exact("five more", false, 5, persistence.TailMessages+5-persistence.TailSenders)
	w.do(&conversation.Read{User: "bob", Seq: 5})
	exact("having read those", false, 0, persistence.TailMessages-persistence.TailSenders)
	w.do(&conversation.Read{User: "bob", Seq: persistence.TailMessages})
	exact("having read most", true, 0, 0)
}
