package actors_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// forgetting is a config under which conversations of "short" expire, those of "long" do not, and no part of a forgetting is of more than two conversations.
func forgetting() actors.Config {
	return actors.Config{
		Namespaces:    map[string]conversation.Policy{"short": {ExpireAfter: time.Hour}},
		FlushInterval: 20 * time.Millisecond,
		MaxActive:     persistence.Shards,
		Reaper:        actors.ReaperConfig{BatchRows: 16},
	}
}

// takePart has bob take part in conversations in every way that there is, and returns in how many he has a membership.
func takePart(e *actorstest.Engine) int {
	pin := uint64(3)
	for i := range 4 {
		for _, namespace := range []string{"short", "long"} {
			name := func(what string) string { return fmt.Sprintf("%s:%s%d", namespace, what, i) }
			e.Do(name("talks"), &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
			e.Do(name("reads"), &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}, Mentions: []string{"bob"}})
			e.Do(name("reads"), &conversation.Set{User: "bob", Pin: &pin, Draft: &conversation.Draft{Text: []byte("secret")}})
			e.Do(name("left"), &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
			e.Do(name("left"), &conversation.Leave{Users: []string{"bob"}, Keep: i%2 == 0})
			e.Do(name("held"), &conversation.Join{Users: []string{"ann", "bob"}})
			e.Do(name("held"), &conversation.Hold{On: true})
		}
	}
	return 4 * 2 * 4
}

func order(t *testing.T, e *actorstest.Engine, user string) uint64 {
	t.Helper()
	remaining, err := e.ForgetUser(context.Background(), user)
	if err != nil {
		t.Fatalf("forget %s: %v", user, err)
	}
	return remaining
}

// wantForgotten requires that an order is carried out, and that no row names the user.
func wantForgotten(t *testing.T, e *actorstest.Engine, user string) {
	t.Helper()
	if traces := tracesOf(t, e, user); len(traces) > 0 {
		t.Errorf("%d rows name %s, such as %q", len(traces), user, traces[0])
	}
	if s := e.Stats().Forget; s.Users != 0 || s.Remaining != 0 || s.Oldest != 0 {
		t.Errorf("still being forgotten: %+v", s)
	}
}

func tracesOf(t *testing.T, e *actorstest.Engine, user string) [][]byte {
	t.Helper()
	snapshot, err := e.Store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	traces, err := persistencetest.Traces(context.Background(), snapshot, user)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// wantAbsent requires that bob sees nothing of what he was in.
func wantAbsent(t *testing.T, e *actorstest.Engine, names ...string) {
	t.Helper()
	const user = "bob"
	if list := e.List(user); len(list) != 0 {
		t.Errorf("%s has %d conversations, such as %s", user, len(list), list[0].Conversation)
	}
	if badge := e.BadgeOf(user); badge.Unread != 0 || badge.Mentions != 0 || badge.Conversations != 0 {
		t.Errorf("%s has the badge %+v", user, badge)
	}
	for _, name := range names {
		if v := e.View(name, user); v != nil && v.Membership != nil {
			t.Errorf("%s has a membership of %s: %+v", user, name, v.Membership)
		}
	}
}
