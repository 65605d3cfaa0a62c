package benchmarks_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	listDays = 90
	// listMean is the mean age of a conversation's last message where ages are spread as they are in life: most are recent.
	listMean = 20 * 24 * time.Hour
	// A conversation in five is a small group, the others are pairs.
	smallGroup = 10
	// crowd is the members of a large group: one more than have entries that move.
	crowd      = 65
	listPeers  = 5_000
	beginsWith = 6 // proposals at most, for a conversation
)

// listEnd is the moment at which lists are read: the end of an hour, so that as much as can be was active in the current one.
func listEnd() time.Time { return time.Date(2024, time.April, 1, 11, 59, 59, 0, time.UTC) }

// listUser is one whose list is read.
type listUser struct {
	name          string
	conversations int
	members       func(i int) int
	age           func(r *rand.Rand) time.Duration
}

// listUsers are those whose lists are read: with the usual number of conversations, with many, with as many of which all were active in the current hour, and with large
// groups alone.
func listUsers() (few, many, busy, crowds listUser) {
	n := *lists.conversations
	usual := func(i int) int {
		if i%5 == 0 {
			return smallGroup
		}
		return 2
	}
	spread := func(r *rand.Rand) time.Duration {
		for {
			if age := time.Duration(r.ExpFloat64() * float64(listMean)); age < listDays*24*time.Hour {
				return age
			}
		}
	}
	few = listUser{"few", min(n, 1_000), usual, spread}
	many = listUser{"many", n, usual, spread}
	busy = listUser{"busy", n, func(int) int { return 2 }, func(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(time.Hour))) }}
	crowds = listUser{"crowds", max(10, min(n/50, 1_000)), func(int) int { return crowd }, spread}
	return few, many, busy, crowds
}

// conversation returns the name of a user's i-th conversation.
func (u *listUser) conversation(i int) string {
	if u.members(i) == 2 {
		return fmt.Sprintf("chat:%s-%08x", u.name, uint32(i)*2654435761)
	}
	return fmt.Sprintf("group:%s-%08x", u.name, uint32(i)*2654435761)
}

// begun is a conversation as it is to be made.
type begun struct {
	at        time.Time
	proposals []*actors.Proposal
}

// begin returns a user's conversations: three messages each, the last ones unread in half of those that were active on the last day and in one of fifty of the others.
func (u *listUser) begin(r *rand.Rand) []begun {
	all := make([]begun, u.conversations)
	for i := range all {
		at := listEnd().Add(-u.age(r))
		name, members := u.conversation(i), []string{u.name}
		for len(members) < u.members(i) {
			if peer := fmt.Sprintf("peer-%04d", r.IntN(listPeers)); !slices.Contains(members, peer) {
				members = append(members, peer)
			}
		}
		seq := 1 + r.Uint64N(2_000)
		propose := func(change conversation.Change) {
			all[i].proposals = append(all[i].proposals, &actors.Proposal{Conversation: name, Change: change})
		}
		for k := range uint64(3) {
			propose(&conversation.Post{
				Seq: seq + k, Sender: members[1+r.IntN(len(members)-1)], SentAt: at, Members: members, Preview: []byte("see you at eight, and bring the papers with you"),
			})
			members = members[:min(len(members), 8)] // the others have joined
		}
		one := 50
		if listEnd().Sub(at) < 24*time.Hour {
			one = 2
		}
		if r.IntN(one) != 0 {
			seq += 2
		}
		propose(&conversation.Read{User: u.name, Seq: seq})
		if i < 5 {
			pin := uint64(i + 1)
			propose(&conversation.Set{User: u.name, Pin: &pin})
		}
		if r.IntN(50) == 0 {
			until := listEnd().AddDate(1, 0, 0)
			propose(&conversation.Set{User: u.name, MutedUntil: &until})
		}
		all[i].at = at
	}
	return all
}

// listData is a store with the lists of all users, made once for all benchmarks.
type listData struct {
	once sync.Once
	dir  string
	err  error
}

// Making it takes longer than all measurements.
var allLists listData

// in returns the directory of the store.
func (d *listData) in(b *testing.B) string {
	b.Helper()
	d.once.Do(func() { d.dir, d.err = makeLists() })
	if d.err != nil {
		b.Fatal(d.err)
	}
	return d.dir
}

func makeLists() (string, error) {
	parent := *lists.data
	if parent == "" {
		var err error
		if parent, err = os.MkdirTemp("", "parley-lists-"); err != nil {
			return "", err
		}
	}
	made := filepath.Join(parent, fmt.Sprintf("of-%d", *lists.conversations))
	if _, err := os.Stat(made); !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	making := made + ".part"
	if err := os.RemoveAll(making); err != nil {
		return "", err
	}
	if err := writeLists(making); err != nil {
		return "", err
	}
	return made, os.Rename(making, made)
}

// removeLists is called at the end of all benchmarks.
func removeLists() error {
	if allLists.dir == "" || *lists.data != "" {
		return nil
	}
	return os.RemoveAll(filepath.Dir(allLists.dir))
}

func writeLists(dir string) (err error) {
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	virtual := clock.NewVirtual(listEnd().Add(-listDays * 24 * time.Hour))
	engine, err := actors.Start(ctx(), nil, store, actors.Config{Clock: virtual})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Stop(ctx())) }()

	few, many, busy, crowds := listUsers()
	r := rand.New(rand.NewPCG(7, 7)) // the same conversations in every run
	var all []begun
	for _, user := range []*listUser{&few, &many, &busy, &crowds} {
		all = append(all, user.begin(r)...)
	}
	slices.SortFunc(all, func(a, b begun) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	began, told := time.Now(), time.Now()
	for i := 0; i < len(all); {
		// What was active in one hour is made at its end.
		hour := all[i].at.Truncate(time.Hour)
		var batch []*actors.Proposal
		for ; i < len(all) && len(batch)+beginsWith <= actors.MaxBatch && all[i].at.Truncate(time.Hour).Equal(hour); i++ {
			virtual.Advance(all[i].at)
			batch = append(batch, all[i].proposals...)
		}
		replies, err := engine.ProposeBatch(ctx(), batch)
		if err != nil {
			return err
		}
		for k := range replies {
			if replies[k].Err != nil {
				return replies[k].Err
			}
		}
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "lists: %d of %d conversations after %s\n", i, len(all), time.Since(began).Round(time.Second))
		}
	}
	virtual.Advance(listEnd())
	return engine.Settle(ctx())
}
