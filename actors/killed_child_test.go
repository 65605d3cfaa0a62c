package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// killedEnv tells a child process, by a killPlan, to run an engine until it kills itself.
const killedEnv = "PARLEY_ACTORS_TEST_KILLED"

// killPlan says at which of its commits a child kills itself with SIGKILL, and where around it.
type killPlan struct {
	Dir    string
	Seed   uint64
	Reaper bool // it is one of the reaper's commits, else one of the journal's
	Commit int  // which, from 1
	Moment killMoment
	Ahead  time.Duration // of the real wall clock, by so much that of its machine is
	Asleep time.Duration // how long its machine is suspended, once, while it runs
}

type killMoment int

const (
	killBefore killMoment = iota // the commit
	killWithin                   // at some moment of it, or soon after
	killAfter                    // before the engine knows how it went
	killMoments
)

// String names a child's end in failures.
func (p *killPlan) String() string {
	return fmt.Sprintf("seed %d, %s commit %d of the %s, %v ahead, suspended for %v",
		p.Seed, [...]string{"before", "within", "after"}[p.Moment], p.Commit, map[bool]string{true: "reaper", false: "journal"}[p.Reaper], p.Ahead, p.Asleep)
}

// Chats expire soon after their last post, unless they are held; the others never do.
const (
	killRetention = 100 * time.Millisecond
	killNames     = 16 // of each namespace
	killWriters   = 4
	killRemembers = 50 * 365 * 24 * time.Hour // longer than what clocks are stepped and machines suspended, in all
)

func killConfig() actors.Config {
	return actors.Config{
		Namespaces: map[string]conversation.Policy{
			"chat": {ExpireAfter: killRetention, MaxSeqJump: 1 << 60},
			"keep": {MaxSeqJump: 1 << 60},
		},
		IdleAfter: 50 * time.Millisecond, MaxActive: persistence.Shards, MaxPackedBytes: packedInTests, FlushInterval: 2 * time.Millisecond, EventsFor: killRemembers,
		Reaper: actors.ReaperConfig{BatchRows: 24},
	}
}

// runKilled is the child's main. It ends only where something is wrong, or its parent is gone.
func runKilled(text string) int {
	var plan killPlan
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 2
	}
	if err := plan.run(); err != nil {
		fmt.Fprintf(os.Stderr, "child: %v: %v\n", &plan, err)
		return 1
	}
	return 0
}

func (p *killPlan) run() error {
	store, err := badgerstore.Open(p.Dir, badgerstore.Options{NoSync: true}) // a killed process's writes are the system's by then
	if err != nil {
		return err
	}
	defer store.Close()
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	machine := &clock.Machine{}
	machine.StepWall(p.Ahead)
	config := killConfig()
	config.Clock = machine.System()
	seen := store.Meta().Clock
	engine, err := actors.Start(ctx, nil, &mortal{Store: store, plan: p}, config)
	if err != nil {
		return err
	}
	// The engine took the same sum a little earlier: what it makes of a moment is never before what this does.
	child := &killChild{engine: engine, clock: config.Clock, behind: max(0, seen.Sub(persistence.InstantOf(config.Clock.Now())))}
	defer func() { _ = engine.Stop(context.Background()) }()
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		fail(fmt.Errorf("the parent is gone: %w", err))
	}()
	time.AfterFunc(time.Duration(p.Seed%50)*time.Millisecond, func() { machine.Suspend(p.Asleep) })
	var writers sync.WaitGroup
	for w := range killWriters {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(p.Seed, uint64(w)))
			for ctx.Err() == nil {
				if err := child.change(ctx, random, w); err != nil {
					fail(err)
				}
			}
		})
	}
	writers.Wait()
	return context.Cause(ctx)
}

// killChild is the engine of a child, and the clock that it goes by.
type killChild struct {
	engine *actors.Engine
	clock  clock.Clock
	behind time.Duration // the store, at the start
}

// now is the time as the engine has it, or a little less.
func (c *killChild) now() time.Time { return c.clock.Now().Add(c.behind) }

// change makes a random change to one of a writer's conversations, and says on standard output, one line each: what was acknowledged as committed once it was, and what takes something
// away before it is asked for.
func (c *killChild) change(ctx context.Context, random *rand.Rand, writer int) error {
	namespace := [...]string{"chat", "chat", "chat", "keep"}[random.IntN(4)]
	n := writer + killWriters*random.IntN(killNames/killWriters)
	name := fmt.Sprintf("%s:%d", namespace, n)
	before, err := c.engine.Get(ctx, name, "")
	if err != nil && !errors.Is(err, conversation.ErrNotFound) {
		return err
	}
	p := &actors.Proposal{Conversation: name}
	var note killNote
	switch k := random.IntN(20); {
	case k < 14 || before.Generation == 0:
		post := &conversation.Post{Seq: uint64(time.Now().UnixNano()), Sender: "ann", Members: killMembers(n)}
		p.Change, note = post, killNote{Kind: "posted", Seq: post.Seq}
	case k < 16:
		p.Change, note = &conversation.Read{User: "bob", Seq: before.LastSeq}, killNote{Kind: "read", Seq: before.LastSeq}
	case namespace == "keep":
		return nil
	case k < 17:
		p.Change, p.IfGeneration, note = &conversation.Delete{}, before.Generation, killNote{Kind: "delete", Generation: before.Generation}
	case k < 18:
		p.Change, note = &conversation.Hold{On: true}, killNote{Kind: "held"}
	default:
		p.Change, note = &conversation.Hold{}, killNote{Kind: "release"}
	}
	note.Name, note.Began = name, c.now()
	if note.Kind == "delete" || note.Kind == "release" {
		note.say()
	}
	reply, err := c.engine.Propose(ctx, p)
	switch {
	case err == nil && note.Kind != "delete" && note.Kind != "release":
		note.Generation = reply.Generation
		note.say()
	case err == nil, errors.Is(err, conversation.ErrNotFound), errors.Is(err, conversation.ErrHeld), errors.Is(err, conversation.ErrConflict):
	default:
		return fmt.Errorf("%s %s: %w", note.Kind, name, err)
	}
	return nil
}

// killMembers returns who takes part in the n-th conversation of a namespace, but for ann: in every other so many that they are deleted in parts.
func killMembers(n int) []string {
	members := []string{"bob", "cid"}
	if n%2 == 0 {
		for i := range 40 {
			members = append(members, fmt.Sprint("user", i))
		}
	}
	return members
}

// killNote is a line of a child's output.
type killNote struct {
	Kind, Name      string
	Generation, Seq uint64
	Began           time.Time // before it was asked for, by the engine's clock
}

func (n *killNote) say() {
	line, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.Write(append(line, '\n')) // one write of the system for each line
}

// mortal is a store that ends its process at a commit.
type mortal struct {
	*badgerstore.Store

	plan    *killPlan
	commits atomic.Int64 // of the kind that the plan names
}

// Commit implements persistence.Store.
func (m *mortal) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	if ofReaper(batch) != m.plan.Reaper || m.commits.Add(1) != int64(m.plan.Commit) {
		return m.Store.Commit(ctx, batch)
	}
	switch m.plan.Moment {
	case killBefore:
		die()
	case killWithin:
		time.AfterFunc(rand.N(2*time.Millisecond), die)
	case killAfter, killMoments:
	}
	results, err := m.Store.Commit(ctx, batch)
	if m.plan.Moment == killAfter {
		die()
	}
	return results, err
}

// Log implements persistence.Store: a Log counts as a commit of the journal.
func (m *mortal) Log(ctx context.Context, batch persistence.Batch) (persistence.Position, error) {
	if m.plan.Reaper || m.commits.Add(1) != int64(m.plan.Commit) {
		return m.Store.Log(ctx, batch)
	}
	switch m.plan.Moment {
	case killBefore:
		die()
	case killWithin:
		time.AfterFunc(rand.N(500*time.Microsecond), die)
	case killAfter, killMoments:
	}
	position, err := m.Store.Log(ctx, batch)
	if m.plan.Moment == killAfter {
		die()
	}
	return position, err
}

// ofReaper reports whether a batch deletes rows of a generation, or marks one as being deleted.
func ofReaper(batch persistence.Batch) bool {
	for i := range batch.Groups {
		if g := &batch.Groups[i]; g.Requires != nil || len(g.Events) > 0 {
			return true
		}
	}
	return false
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until that has come
}
