package actors_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// kills asks for a campaign that is longer than what every run has time for.
var kills = flag.Int("kills", 0, "how many processes are killed around the reaper's steps; 0: as many as fit an ordinary run")

// An engine on a real store is killed before, within and after commits of its reaper and its journal, again and again on the same directory; some of the
// machines are suspended while it runs, and their wall clocks are stepped by a day, forward and back, before the next one starts. Each time the store agrees with itself, what
// was acknowledged as committed is there or was over, nothing held or kept is gone, what ended stays so, and in the end nothing overdue is left.
func TestNothingIsLostOrComesBackWhereAProcessIsKilledAroundTheReapersSteps(t *testing.T) {
	rounds := 30
	switch {
	case *kills > 0:
		rounds = *kills
	case racing.Enabled || testing.Short():
		rounds = 6
	}
	c := &coroner{
		dir: t.TempDir(), posted: map[string]killNote{}, held: map[string]bool{}, deleted: map[string]bool{}, reached: map[string]uint64{}, ended: map[string]*persistence.Event{},
	}
	random := rand.New(rand.NewPCG(7, uint64(rounds)))
	ahead, day := time.Duration(0), 24*time.Hour
	for round := range rounds {
		plan := &killPlan{Dir: c.dir, Seed: uint64(round), Reaper: random.IntN(4) > 0, Commit: 1 + random.IntN(12), Moment: killMoment(random.IntN(int(killMoments)))}
		if !plan.Reaper {
			plan.Commit = 1 + random.IntN(100) // it has many more
		}
		if random.IntN(3) == 0 { // the wall clock is stepped by a day while nothing runs
			ahead += day * time.Duration(1-2*random.IntN(2))
		}
		plan.Ahead = ahead
		if random.IntN(4) == 0 {
			plan.Asleep = time.Duration(random.Int64N(int64(day)))
		}
		c.notes(t, plan)
		c.examine(t, plan.String())
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	if len(c.ended) < rounds/2 {
		t.Errorf("only %d generations ended in %d rounds", len(c.ended), rounds)
	}
	c.settle(t)
}

// coroner knows what children were told, and looks at what they left.
type coroner struct {
	dir     string
	posted  map[string]killNote           // the last post that was acknowledged, by conversation
	held    map[string]bool               // surely
	deleted map[string]bool               // the generations whose deletion was asked for, by conversation and generation
	reached map[string]uint64             // bob's read-to, in the generation of the last post
	ended   map[string]*persistence.Event // by conversation and generation
}

// notes runs a child to its end and takes in what it said.
func (c *coroner) notes(t *testing.T, plan *killPlan) {
	t.Helper()
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"="+string(text))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	stdin, err := cmd.StdinPipe() // its end would end a child whose parent is gone
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var note killNote
		if err := json.Unmarshal(lines.Bytes(), &note); err != nil {
			t.Errorf("%v: it says %q: %v", plan, lines.Text(), err)
			continue
		}
		c.take(note)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("%v: the child ended with %v:\n%s", plan, err, complaints.String())
	}
}

func (c *coroner) take(n killNote) {
	switch n.Kind {
	case "posted":
		if n.Generation != c.posted[n.Name].Generation {
			delete(c.reached, n.Name)
			delete(c.held, n.Name) // a hold ends with its generation
		}
		c.posted[n.Name] = n
	case "read":
		if n.Generation == c.posted[n.Name].Generation {
			c.reached[n.Name] = max(c.reached[n.Name], n.Seq)
		}
	case "delete":
		c.deleted[eventKey(n.Name, persistence.Generation(n.Generation))] = true
	case "held":
		c.held[n.Name] = n.Generation == c.posted[n.Name].Generation
	case "release":
		delete(c.held, n.Name)
	}
}

// examine opens the store that a child left.
func (c *coroner) examine(t *testing.T, when string) {
	t.Helper()
	store, err := badgerstore.Open(c.dir, badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer store.Close()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for _, violation := range persistencetest.Check(t.Context(), snapshot) {
		t.Errorf("%s: %v", when, violation)
	}
	c.events(t, snapshot, when)
	for name, post := range c.posted {
		head := c.head(t, snapshot, name)
		switch {
		case head != nil && uint64(head.Generation) == post.Generation && c.end(t, snapshot, name) == nil:
			if head.LastSeq < post.Seq {
				t.Errorf("%s: %s reaches %d, but %d was acknowledged as committed", when, name, head.LastSeq, post.Seq)
			}
			c.examineRead(t, snapshot, name, when)
		case strings.HasPrefix(name, "keep:") || c.held[name]:
			t.Errorf("%s: generation %d of %s is gone, which never expires or is held; there is %+v", when, post.Generation, name, head)
		case head != nil && uint64(head.Generation) < post.Generation:
			t.Errorf("%s: %s is of generation %d again, after %d", when, name, head.Generation, post.Generation)
		default:
			c.examineEnd(t, snapshot, name, when)
		}
	}
}

func (c *coroner) examineRead(t *testing.T, snapshot persistence.Snapshot, name, when string) {
	t.Helper()
	value, err := snapshot.Get(t.Context(), persistence.MembershipKey("bob", name))
	if err != nil {
		t.Errorf("%s: bob's membership in %s: %v", when, name, err)
		return
	}
	m, err := persistence.DecodeMembership(value)
	if err != nil || m.ReadSeq < c.reached[name] {
		t.Errorf("%s: bob has read %s up to %d (%v), but %d was acknowledged as committed", when, name, m.ReadSeq, err, c.reached[name])
	}
}

// examineEnd looks for what says how a generation ended that is there no more.
func (c *coroner) examineEnd(t *testing.T, snapshot persistence.Snapshot, name, when string) {
	t.Helper()
	post := c.posted[name]
	end := c.end(t, snapshot, name)
	switch {
	case end == nil:
		t.Errorf("%s: generation %d of %s is gone, and nothing says how", when, post.Generation, name)
	case end.LastSeq < post.Seq:
		t.Errorf("%s: %s ended with message %d, but %d was acknowledged as committed", when, name, end.LastSeq, post.Seq)
	case end.Reason == persistence.ReasonDeleted && c.deleted[eventKey(name, persistence.Generation(post.Generation))]:
	case end.Reason != persistence.ReasonExpired:
		t.Errorf("%s: %s ended with reason %v, and nobody asked for that", when, name, end.Reason)
	case end.Deadline < persistence.InstantOf(post.Began).Add(killRetention):
		t.Errorf("%s: %s was over at %v, but a post was acknowledged that began at %v", when, name, end.Deadline.Time(), post.Began)
	}
}

// end returns what says how the generation of the last post ended: its event, or its due entry where its deletion has begun; nil: nothing does.
func (c *coroner) end(t *testing.T, snapshot persistence.Snapshot, name string) *persistence.Event {
	t.Helper()
	generation := persistence.Generation(c.posted[name].Generation)
	end := c.ended[eventKey(name, generation)]
	if end == nil {
		for row, err := range snapshot.Scan(t.Context(), persistence.DueRange(persistence.ShardOf(name), 0, persistence.Never)) {
			if err != nil {
				t.Fatal(err)
			}
			of, _, g, err := persistence.ParseDueKey(row.Key)
			if err != nil || of != name || g != generation {
				continue
			}
			due, err := persistence.DecodeDue(row.Value)
			if err != nil {
				t.Fatal(err)
			}
			if due.Ended == nil {
				continue
			}
			end = &persistence.Event{Ended: *due.Ended}
		}
	}
	return end
}

// events takes in what ended. What did before is still told, and no generation ends twice.
func (c *coroner) events(t *testing.T, snapshot persistence.Snapshot, when string) {
	t.Helper()
	found := map[string]*persistence.Event{}
	for shard := range persistence.Shard(persistence.Shards) {
		for row, err := range snapshot.Scan(t.Context(), persistence.EventsRange(shard, 0)) {
			if err != nil {
				t.Fatal(err)
			}
			event, err := persistence.DecodeEvent(row.Value)
			if err != nil {
				t.Fatal(err)
			}
			key := eventKey(event.Conversation, event.Generation)
			if found[key] != nil {
				t.Errorf("%s: %s ended twice", when, key)
			}
			found[key] = event
			_, number, _ := strings.Cut(event.Conversation, ":")
			if n, err := strconv.Atoi(number); err != nil || len(event.Users) != 1+len(killMembers(n)) || event.UsersTruncated {
				t.Errorf("%s: the event of %s names %d users (%v), want ann and %d others", when, key, len(event.Users), err, len(killMembers(n)))
			}
			if event.At < event.Deadline {
				t.Errorf("%s: %s was deleted at %v, before it was over at %v", when, key, event.At.Time(), event.Deadline.Time())
			}
		}
	}
	for key := range c.ended {
		if found[key] == nil {
			t.Errorf("%s: the event of %s is gone", when, key)
		}
	}
	c.ended = found
}

func eventKey(name string, generation persistence.Generation) string {
	return string(persistence.DueKey(name, 0, generation))
}

// head returns a conversation's head; nil where there is none, or a tombstone.
func (c *coroner) head(t *testing.T, snapshot persistence.Snapshot, name string) *persistence.Head {
	t.Helper()
	value, err := snapshot.Get(t.Context(), persistence.HeadKey(name))
	if errors.Is(err, persistence.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := persistence.DecodeHead(value)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// settle lets an engine finish what the children began.
func (c *coroner) settle(t *testing.T) {
	t.Helper()
	store, err := badgerstore.Open(c.dir, badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	over := make(chan struct{}, 1)
	config := killConfig()
	config.Observer = &actors.Observer{Expired: func(actors.ExpiredInfo) {
		select {
		case over <- struct{}{}:
		default:
		}
	}}
	engine, err := actors.Start(t.Context(), nil, store, config)
	if err != nil {
		t.Fatal(err)
	}
	for name := range c.posted {
		_, err := engine.Propose(t.Context(), &actors.Proposal{Conversation: name, Change: &conversation.Hold{}})
		if err != nil && !errors.Is(err, conversation.ErrNotFound) {
			t.Error(err)
		}
	}
	for c.overdue(t, store) {
		select {
		case <-over:
		case <-time.After(30 * time.Second):
			t.Fatal("chats are left though nobody writes to them")
		}
	}
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for _, violation := range persistencetest.Check(t.Context(), snapshot) {
		t.Error(violation)
	}
	for name, post := range c.posted {
		if strings.HasPrefix(name, "keep:") {
			if head := c.head(t, snapshot, name); head == nil || head.LastSeq < post.Seq {
				t.Errorf("%s is at %+v, want %d", name, head, post.Seq)
			}
		}
	}
}

// overdue reports whether the store has an entry of a generation that is to end.
func (c *coroner) overdue(t *testing.T, store persistence.Store) bool {
	t.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for shard := range persistence.Shard(persistence.Shards) {
		for _, err := range snapshot.Scan(t.Context(), persistence.DueRange(shard, 0, persistence.Never)) {
			if err != nil {
				t.Fatal(err)
			}
			return true
		}
	}
	return false
}
