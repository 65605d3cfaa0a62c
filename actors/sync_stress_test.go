package actors_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// changes asks for a run that is longer than what every run has time for.
var changes = flag.Int64("changes", 0, "how many changes to make while readers sync; 0: as many as fit an ordinary run")

// mill is an engine to which many goroutines propose while others sync, in real time.
type mill struct {
	*actors.Engine

	t     *testing.T
	store *persistencetest.Store
	users []string
	left  atomic.Int64 // changes to be made
	made  atomic.Int64
	syncs atomic.Int64
	told  atomic.Int64
	over  atomic.Bool
}

// reached is what a conversation had come to, for a user.
type reached struct {
	generation, last, read, cleared uint64
	spell                           int
}

// atLeast reports whether r is as far as what was acknowledged, or further.
func (r reached) atLeast(want reached) bool {
	if r.generation != want.generation {
		return r.generation > want.generation
	}
	return r.last >= want.last && r.read >= want.read && r.cleared >= want.cleared
}

// acknowledgements is what one writer was told of its own conversations, for those who read. Nobody else writes to those, so that nothing it was told goes back, unless the writer
// takes it back itself: then a new spell begins.
type acknowledgements struct {
	mu    sync.Mutex
	of    map[place]reached // as it is in the user's list
	spell map[place]int
}

type place struct{ user, name string }

func (a *acknowledgements) tell(user, name string, r reached) {
	at := place{user, name}
	r.spell = a.spell[at]
	a.of[at] = r
}

// end says that the user's list may not have the conversation from now on.
func (a *acknowledgements) end(user, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := place{user, name}
	a.spell[at]++
	delete(a.of, at)
}

// copy returns what was acknowledged of a user's conversations by now.
func (a *acknowledgements) copy(user string, into map[string]reached) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for at, r := range a.of {
		if at.user == user {
			into[at.name] = r
		}
	}
}

// Writers post, mark, leave, join and delete in real time, conversations leave memory and expire, and nothing waits for anything. What was acknowledged before a sync began has been
// told by the end of that sync, or of one before; and in the end what was told adds up to the list.
func TestAReaderMissesNothingThatIsChangedWhileItReads(t *testing.T) {
	total := *changes
	switch {
	case total > 0:
	case racing.Enabled:
		total = 2_000
	default:
		total = 8_000
	}
	m := &mill{t: t, store: persistencetest.NewStore(), users: []string{"ann", "bob", "cid"}}
	m.left.Store(total)
	engine, err := actors.Start(t.Context(), nil, m.store, actors.Config{
		Default:    conversation.Policy{},
		Namespaces: map[string]conversation.Policy{"brief": {ExpireAfter: 20 * time.Millisecond}},
		Workers:    3, Loaders: 2, MaxActive: 8, IdleAfter: 3 * time.Millisecond, FlushInterval: time.Millisecond,
		Reaper: actors.ReaperConfig{BatchRows: 16},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Engine = engine
	defer func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	const writers = 4
	acks := make([]*acknowledgements, writers)
	var writing, reading sync.WaitGroup
	for i := range writers {
		acks[i] = &acknowledgements{of: map[place]reached{}, spell: map[place]int{}}
		writing.Go(func() { m.write(i, acks[i]) })
	}
	devices := make([]*device, 0, len(m.users))
	for i, user := range m.users {
		d := &device{user: user, limit: 2 + 5*i}
		devices = append(devices, d)
		reading.Go(func() { m.read(d, acks) })
	}
	writing.Wait()
	m.over.Store(true)
	reading.Wait()
	if t.Failed() {
		return
	}
	if err := m.settle(devices); err != nil {
		t.Error(err)
	}
	t.Logf("%d changes, %d syncs that told %d conversations, %d generations deleted", m.made.Load(), m.syncs.Load(), m.told.Load(), m.Stats().Reaper.Expired)
	if m.Stats().Reaper.Expired == 0 || m.Stats().Cells.Passivations == 0 {
		t.Errorf("nothing expired, or nothing left memory: %+v", m.Stats())
	}
}

// write makes changes to conversations that nobody else writes to, one at a time: what it is answered is what readers must be told.
func (m *mill) write(number int, acks *acknowledgements) {
	random := rand.New(rand.NewPCG(uint64(number), 11))
	const each = 12
	generation, last := [each]uint64{}, [each]uint64{}
	for m.left.Add(-1) >= 0 && !m.t.Failed() {
		i := random.IntN(each)
		namespace := []string{"lasting", "brief"}[i%2]
		name := fmt.Sprintf("%s:%d-%d", namespace, number, i)
		user := m.users[random.IntN(len(m.users))]
		p := &actors.Proposal{Conversation: name, Ack: actors.AckApplied}
		if random.IntN(32) == 0 {
			p.Ack = actors.AckCommitted
		}
		switch n := random.IntN(100); {
		case n < 50 || last[i] == 0:
			p.Change = &conversation.Post{Seq: last[i] + 1, Sender: user, Members: m.users, Silent: random.IntN(4) == 0}
		case n < 75:
			p.Change = &conversation.Read{User: user, Seq: 1 + random.Uint64N(last[i])}
		case n < 85:
			p.Change = &conversation.Clear{User: user, Seq: 1 + random.Uint64N(last[i])}
		case n < 90:
			p.Change = &conversation.Set{User: user, Pin: new(random.Uint64N(3))}
		case n < 93:
			p.Change = &conversation.Leave{Users: []string{user}, Keep: random.IntN(2) == 0}
			acks.end(user, name)
		case n < 96:
			p.Change = &conversation.Clear{User: user, Seq: last[i], Hide: true}
			acks.end(user, name)
		case n < 97 && generation[i] > 0:
			p.Change, p.IfGeneration = &conversation.Delete{}, generation[i]
			for _, member := range m.users {
				acks.end(member, name)
			}
		default:
			p.Change = &conversation.MarkUnread{User: user}
		}
		reply, err := m.Propose(m.t.Context(), p)
		m.made.Add(1)
		if err != nil {
			if !errors.Is(err, conversation.ErrNotFound) && !errors.Is(err, conversation.ErrConflict) && !errors.Is(err, conversation.ErrOverloaded) {
				m.t.Errorf("%s: %v", p.Change.Kind(), err)
			}
			continue
		}
		generation[i], last[i] = reply.Generation, max(last[i], reply.LastSeq)
		if namespace == "brief" {
			continue // it may be over before anybody reads
		}
		acks.mu.Lock()
		switch change := p.Change.(type) {
		case *conversation.Post:
			if change.Silent {
				break // it brings back nothing that is hidden
			}
			for _, member := range m.users {
				acks.tell(member, name, reached{generation: reply.Generation, last: reply.LastSeq})
			}
		case *conversation.Read, *conversation.MarkUnread, *conversation.Set:
			if s := reply.Membership; s != nil && s.Hide == persistence.HideNone && s.VisibleTo == 0 {
				acks.tell(user, name, reached{generation: reply.Generation, last: reply.LastSeq, read: s.ReadSeq, cleared: s.ClearedSeq})
			}
		}
		acks.mu.Unlock()
	}
}

// read syncs until all changes are made, and requires each time that what was acknowledged before is told.
func (m *mill) read(d *device, acks []*acknowledgements) {
	for !m.over.Load() && !m.t.Failed() {
		before := map[string]reached{}
		for _, a := range acks {
			a.copy(d.user, before)
		}
		if err := m.sync(d); err != nil {
			m.t.Error(err)
			return
		}
		after := map[string]reached{}
		for _, a := range acks {
			a.copy(d.user, after)
		}
		for name, want := range before {
			now, still := after[name]
			if !still || now.spell != want.spell {
				continue // it may have gone meanwhile
			}
			s := d.list[name]
			if got := (reached{generation: s.Generation, last: s.LastSeq, read: s.Read, cleared: s.Cleared}); !got.atLeast(want) {
				m.t.Errorf("%s, %s: a sync that began after %+v was acknowledged told %+v", d.user, name, want, got)
				return
			}
		}
	}
}

// sync reads an answer to its end.
func (m *mill) sync(d *device) error {
	m.syncs.Add(1)
	for {
		page, err := m.Sync(m.t.Context(), actors.SyncQuery{User: d.user, Cursor: d.cursor, Limit: d.limit})
		if err != nil {
			return fmt.Errorf("sync: %w", err)
		}
		m.told.Add(int64(len(page.Changed)))
		if d.fold(&page); !page.More {
			return nil
		}
	}
}

// settle requires that once nothing changes any more, every device has the list.
func (m *mill) settle(devices []*device) error {
	for _, d := range devices {
		for try := 0; ; try++ {
			if err := m.sync(d); err != nil {
				return err
			}
			want, err := m.list(d.user)
			if err != nil {
				return err
			}
			diff := cmp.Diff(want, d.list)
			if diff == "" {
				break
			}
			if try == 10 { // brief ones may end while one looks
				return fmt.Errorf("a device of %s has not got the list (-want +got):\n%s", d.user, diff)
			}
		}
	}
	return nil
}

func (m *mill) list(user string) (map[string]sight, error) {
	list := map[string]sight{}
	for q := (actors.ListQuery{User: user, Limit: 10}); ; {
		page, err := m.Conversations(m.t.Context(), q)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		for i := range page.Conversations {
			list[page.Conversations[i].Conversation] = seen(&page.Conversations[i])
		}
		if q.PageToken = page.NextPageToken; q.PageToken == "" {
			return list, nil
		}
	}
}
