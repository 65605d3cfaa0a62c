package actors_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// never is the return of a call that did not come back.
const never = math.MaxInt64

// clients call one engine at the same time and write down what they asked, when, and what they were told.
type clients struct {
	engine *actors.Engine
	host   *actor.ActorSystem
	began  time.Time

	mu      sync.Mutex
	history []porcupine.Operation
}

// Changes and questions of many clients at the same time, of plain callers and of actors, some of whom do not wait for the answer, while conversations leave memory
// as often as they can: what each is told fits one order of all calls to a conversation, in which no call comes before one that had returned when it was made.
func TestEachConversationIsLinearizable(t *testing.T) {
	stores := map[string]func(t *testing.T) persistence.Store{
		"memory": func(*testing.T) persistence.Store {
			store := persistencetest.NewStore()
			store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
				if op == persistencetest.OpCommit {
					return 300 * time.Microsecond // so that much is in the journal alone
				}
				return 0
			}})
			return store
		},
		"badger": func(t *testing.T) persistence.Store {
			t.Helper()
			store, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := store.Close(); err != nil {
					t.Errorf("close the store: %v", err)
				}
			})
			return store
		},
	}
	rounds := 25
	if racing.Enabled {
		rounds = 5
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			c := newClients(t, open(t))
			for round := range rounds {
				c.history = nil
				c.run(t, uint64(round))
				c.check(t, round)
			}
			if got := c.engine.Stats().Cells.Activations; got < uint64(20*rounds) {
				t.Errorf("conversations were activated %d times, too few to have passivated meanwhile", got)
			}
		})
	}
}

func newClients(t *testing.T, store persistence.Store) *clients {
	t.Helper()
	host := newHost(t)
	engine, err := actors.Start(context.Background(), host, store, actors.Config{
		IdleAfter: 200 * time.Microsecond, MaxActive: 1, MaxPackedBytes: packedInTests, FlushInterval: time.Millisecond, MaxFlushInterval: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	return &clients{engine: engine, host: host, began: time.Now()}
}

// run lets six clients make 50 calls each to four conversations that nobody has heard of, with pauses in which those passivate.
func (c *clients) run(t *testing.T, round uint64) {
	t.Helper()
	var names []string
	for i := 0; len(names) < 4; i++ {
		if name := fmt.Sprintf("group:%d-%d", round, i); persistence.ShardOf(name) == 7 { // all in one shard, which keeps one of them in memory
			names = append(names, name)
		}
	}
	next := make([]atomic.Uint64, len(names))
	var all sync.WaitGroup
	for client := range 6 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(round, uint64(client)))
			for range 50 {
				at := random.IntN(len(names))
				c.call(client, random, draw(random, names[at], &next[at]))
			}
		})
	}
	all.Wait()
}

func draw(random *rand.Rand, name string, next *atomic.Uint64) request {
	q := request{conversation: name, user: random.IntN(readers), seq: 1 + random.Uint64N(max(1, min(next.Load()+2, messages)))}
	switch n := random.IntN(100); {
	case n < 25:
		q.verb = "post"
		if seq := next.Add(1); seq < messages && n < 22 { // otherwise one of before once more, or one that is on its way
			q.seq = seq
		}
		q.user = int(q.seq*7/3) % readers // a message has one sender
	case n < 33:
		q.verb, q.seq = "join", 0
	case n < 40:
		q.verb, q.seq = "leave", 0
	case n < 52:
		q.verb = "read"
	case n < 60:
		q.verb = "clear"
	default:
		q.verb, q.seq, q.user = "get", 0, random.IntN(readers+1)
	}
	return q
}

// change is the request as the engine takes it, nil for a question.
func (q request) change() conversation.Change {
	user := people[q.user]
	switch q.verb {
	case "post":
		return &conversation.Post{Seq: q.seq, Sender: user}
	case "join":
		return &conversation.Join{Users: []string{user}}
	case "leave":
		return &conversation.Leave{Users: []string{user}}
	case "read":
		return &conversation.Read{User: user, Seq: q.seq}
	case "clear":
		return &conversation.Clear{User: user, Seq: q.seq}
	}
	return nil
}

func (c *clients) call(client int, random *rand.Rand, q request) {
	op := porcupine.Operation{ClientId: client, Input: q, Call: int64(time.Since(c.began))}
	var a answer
	var refused bool
	switch n := random.IntN(10); {
	case q.verb == "get":
		a = c.get(q)
	case n < 2: // an actor asks
		a, refused = c.request(q)
	case n < 3: // the caller gives up
		a, refused = c.propose(q, time.Duration(random.IntN(200))*time.Microsecond, actors.AckCommitted)
	default:
		a, refused = c.propose(q, time.Minute, actors.Ack(1+random.IntN(2)))
	}
	op.Output, op.Return = a, int64(time.Since(c.began))
	if a.unknown {
		op.Return = never
	}
	if refused { // nothing has happened, and nothing was told
		return
	}
	c.mu.Lock()
	c.history = append(c.history, op)
	c.mu.Unlock()
}

func (c *clients) get(q request) answer {
	user := ""
	if q.user < readers {
		user = people[q.user]
	}
	v, err := c.engine.Get(context.Background(), q.conversation, user)
	if err != nil {
		return answer{unknown: !errors.Is(err, conversation.ErrNotFound)}
	}
	a := answer{found: true, last: v.LastSeq, members: int(v.Members)}
	a.take(v.Membership)
	return a
}

func (c *clients) propose(q request, patience time.Duration, ack actors.Ack) (a answer, refused bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := c.engine.Propose(ctx, &actors.Proposal{Conversation: q.conversation, Change: q.change(), Ack: ack})
	if err != nil && r.Err == nil {
		return answer{unknown: true}, false
	}
	return told(q, &r)
}

func (c *clients) request(q request) (a answer, refused bool) {
	reply, err := c.host.Root.RequestFuture(c.engine.PID(), &actors.Proposal{Conversation: q.conversation, Change: q.change()}, time.Minute).Result()
	r, ok := reply.(*actors.Reply)
	if err != nil || !ok {
		return answer{unknown: true}, false
	}
	return told(q, r)
}

// told is what a reply says.
func told(q request, r *actors.Reply) (a answer, refused bool) {
	switch {
	case errors.Is(r.Err, conversation.ErrNotFound):
		return answer{}, false
	case r.Err != nil:
		return answer{unknown: true}, r.Ack == actors.AckDefault
	}
	a = answer{found: true, last: r.LastSeq, changed: r.Changed}
	if q.verb != "post" {
		a.take(r.Membership)
	}
	return a, false
}

func (a *answer) take(m *conversation.MembershipView) {
	if m != nil {
		a.member, a.unread = true, int(m.Unread)
		a.seat = seat{in: true, left: m.VisibleTo > 0, from: m.VisibleFrom, leftAt: m.VisibleTo, read: m.ReadSeq, cleared: m.ClearedSeq}
	}
}

// check looks for an order that explains the history.
func (c *clients) check(t *testing.T, round int) {
	t.Helper()
	model := linear()
	result, info := porcupine.CheckOperationsVerbose(model, c.history, 20*time.Second)
	if result == porcupine.Ok {
		return
	}
	path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("history-%d.html", round))
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		t.Errorf("draw the history: %v", err)
	}
	t.Fatalf("round %d, %d calls: no order explains what the clients were told (%v); see %s (kept with -artifacts)", round, len(c.history), result, path)
}
