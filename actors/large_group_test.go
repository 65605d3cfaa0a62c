package actors_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// ledger notes which kinds of rows an engine reads and writes.
type ledger struct {
	mu            sync.Mutex
	read, written map[persistence.Kind]int
	snapshots     int
}

func (l *ledger) faults() persistencetest.Faults {
	return persistencetest.Faults{
		Get: func(key []byte) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.read[persistence.KindOf(key)]++
			return nil
		},
		Snapshot: func() error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.snapshots++
			return nil
		},
		AfterCommit: func(b persistence.Batch, results []persistence.Result) error {
			if results == nil {
				return nil // it was logged
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, group := range b.Groups {
				for _, put := range group.Puts {
					l.written[persistence.KindOf(put.Key)]++
				}
			}
			return nil
		},
	}
}

// take returns what was read and written since the last time.
func (l *ledger) take() (read, written map[persistence.Kind]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	read, written = l.read, l.written
	l.read, l.written, l.snapshots = map[persistence.Kind]int{}, map[persistence.Kind]int{}, 0
	return read, written
}

// largeGroup is an engine with a group of 5,000 members that is not in memory.
func largeGroup(t *testing.T) (*actorstest.Engine, *ledger) {
	t.Helper()
	e := actorstest.Start(t, actors.Config{})
	for k := range 5 {
		join := &conversation.Join{}
		for i := range 1_000 {
			join.Users = append(join.Users, fmt.Sprintf("user-%d", 1_000*k+i))
		}
		if r := e.Do("group:large", join); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	e.Post("group:large", "user-0", 1)
	e.Restart()
	synctest.Wait() // the due index has been looked at
	l := &ledger{}
	l.take()
	e.Store.SetFaults(l.faults())
	return e, l
}

func TestAChangeOfALargeGroupReadsAndWritesOnlyWhatItNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l := largeGroup(t)
		type rows = map[persistence.Kind]int
		steps := []struct {
			change        conversation.Change
			read, written rows
		}{
			{ // activation reads the head, the tail and where a small one would have its roster, and no memberships but those that the change asks for; a post moves no entries
				&conversation.Post{Seq: 2, Sender: "user-7", Mentions: []string{"user-8", "user-9"}},
				rows{persistence.KindHead: 1, persistence.KindTail: 1, persistence.KindRoster: 1, persistence.KindMembership: 3},
				rows{persistence.KindHead: 1, persistence.KindTail: 1, persistence.KindMembership: 3},
			},
			{
				&conversation.Post{Seq: 3, Sender: "user-7"},
				rows{},
				rows{persistence.KindHead: 1, persistence.KindTail: 1, persistence.KindMembership: 1},
			},
			{ // of a change that is the user's alone, the first in an hour leaves an entry by which their other devices find it
				&conversation.Read{User: "user-4000", Seq: 2},
				rows{persistence.KindMembership: 1},
				rows{persistence.KindMembership: 1, persistence.KindEntry: 1},
			},
			{
				&conversation.Read{User: "user-4000", Seq: 3},
				rows{},
				rows{persistence.KindMembership: 1},
			},
			{&conversation.Read{User: "user-4000", Seq: 2}, rows{}, rows{}},
		}
		for _, step := range steps {
			if r := e.Do("group:large", step.change); r.Err != nil {
				t.Fatal(r.Err)
			}
			e.Advance(time.Second) // it is in the store
			read, written := l.take()
			if diff := cmp.Diff(step.read, read); diff != "" {
				t.Errorf("%s %+v read (-want +got):\n%s", step.change.Kind(), step.change, diff)
			}
			if diff := cmp.Diff(step.written, written); diff != "" {
				t.Errorf("%s %+v wrote (-want +got):\n%s", step.change.Kind(), step.change, diff)
			}
		}
	})
}

// Members who speak one after the other are looked up together, not each when their turn comes.
func TestMembershipsOfWaitingProposalsAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, l := largeGroup(t)
		var proposals []*actors.Proposal
		for i := range uint64(100) {
			proposals = append(proposals, &actors.Proposal{Conversation: "group:large", Change: &conversation.Post{Seq: i + 2, Sender: fmt.Sprint("user-", i)}})
		}
		replies, err := e.ProposeBatch(t.Context(), proposals)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range replies {
			if r.Err != nil || r.LastSeq != uint64(i)+2 {
				t.Errorf("reply %d: %+v", i, r)
			}
		}
		l.mu.Lock()
		snapshots := l.snapshots
		l.mu.Unlock()
		if read, _ := l.take(); read[persistence.KindMembership] != 100 || snapshots > 10 {
			t.Errorf("%d memberships were read in %d goes, want 100 in a few", read[persistence.KindMembership], snapshots)
		}
		for i := range 100 {
			user := fmt.Sprint("user-", i)
			if v := e.View("group:large", user); v.Membership.ReadSeq != uint64(i)+2 || !strings.HasPrefix(v.LastSender, "user-") {
				t.Errorf("%s has read up to %d, want their own message, %d", user, v.Membership.ReadSeq, i+2)
			}
		}
	})
}
