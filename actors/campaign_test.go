package actors_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// operations asks for a campaign that is longer than what every run has time for.
var operations = flag.Int("operations", 0, "how many operations to compare with the model; 0: as many as fit an ordinary run")

const (
	perSeed = 20_000 // operations on one engine
	maxJump = 2_000  // MaxSeqJump of all namespaces
)

// campaign is an engine and a model to which the same happens.
type campaign struct {
	*actorstest.Engine

	t        *testing.T
	random   *rand.Rand
	names    []string
	focus    []string // whom something happens to at present; the others grow old
	accounts map[string]*account
	sources  map[string]*source
	seen     map[string]uint64 // the highest generation
	past     map[past]*account // generations that are over and not yet told of as deleted
	gone     []past            // those told of last
	trail    map[string][]fact
	done     int
	barriers uint64

	mu      sync.Mutex
	expired []actors.ExpiredInfo
}

type past struct {
	name       string
	generation uint64
}

// fact is what happened to a conversation, for the report of a difference.
type fact struct {
	at       time.Time
	proposal *actors.Proposal // nil: a note
	reply    actors.Reply
	note     string
}

// Random changes to a dozen conversations, late, twice and out of order, with passivation, expiry, restarts and crashes in between: what readers see is at all times what
// the model says.
func TestReadersSeeWhatTheModelSays(t *testing.T) {
	total, each := 6*2_500, 2_500
	switch {
	case *operations > 0:
		total, each = *operations, min(*operations, perSeed)
	case raceDetector:
		total = 2 * each
	}
	var done atomic.Int64
	began, reported := time.Now(), atomic.Int64{}
	for seed := range (total + each - 1) / each {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newCampaign(t, uint64(seed)).run(each) })
			n, took := done.Add(int64(each)), time.Since(began)
			if last := reported.Load(); *operations > 0 && took.Milliseconds()-last > 10_000 && reported.CompareAndSwap(last, took.Milliseconds()) {
				t.Logf("%d of %d operations in %v, %.0f a second", n, total, took.Round(time.Second), float64(n)/took.Seconds())
			}
		})
	}
}

func newCampaign(t *testing.T, seed uint64) *campaign {
	t.Helper()
	c := &campaign{
		t: t, random: rand.New(rand.NewPCG(seed, 7)), accounts: map[string]*account{}, sources: map[string]*source{}, seen: map[string]uint64{},
		past: map[past]*account{}, trail: map[string][]fact{},
	}
	policies := map[string]conversation.Policy{
		"chat": {ExpireAfter: 300 * time.Millisecond, MaxSeqJump: maxJump},
		"room": {ExpireAfter: 40 * time.Millisecond, MaxSeqJump: maxJump, ReceiptsUpTo: 3},
		"keep": {MaxSeqJump: maxJump},
	}
	for _, namespace := range []string{"chat", "room", "keep"} {
		// Few shards, so that conversations push each other out of memory.
		for i := 0; len(c.names) < map[string]int{"chat": 5, "room": 10, "keep": 12}[namespace]; i++ {
			name := fmt.Sprintf("%s:%d", namespace, i)
			if persistence.ShardOf(name)%64 != 7 {
				continue
			}
			c.names = append(c.names, name)
			c.accounts[name] = &account{policy: policies[namespace]}
			c.sources[name] = &source{Rand: c.random, name: name}
		}
	}
	c.Engine = actorstest.Start(t, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Second}, Namespaces: policies, Workers: 2, Loaders: 2, MaxActive: 4, IdleAfter: 4 * time.Millisecond,
		FlushInterval: 3 * time.Millisecond, KeepExpired: time.Hour, Reaper: actors.ReaperConfig{BatchRows: 8},
		Observer: &actors.Observer{Expired: func(info actors.ExpiredInfo) {
			c.mu.Lock()
			c.expired = append(c.expired, info)
			c.mu.Unlock()
		}},
	})
	return c
}

func (c *campaign) run(operations int) {
	for c.done < operations {
		if c.random.IntN(40) == 0 || c.focus == nil {
			c.focus = nil
			for _, i := range c.random.Perm(len(c.names))[:4] {
				c.focus = append(c.focus, c.names[i])
			}
		}
		c.step()
	}
	c.finish()
}

func (c *campaign) step() {
	c.propose(1+c.random.IntN(30), false)
	switch n := c.random.IntN(1000); {
	case n < 500:
	case n < 850:
		c.advance(time.Duration(c.random.IntN(4000)) * time.Microsecond)
	case n < 950:
		c.advanceToADeadline()
	case n < 990:
		c.advance(time.Duration(c.random.IntN(100)) * time.Millisecond)
	case n < 995:
		c.note("restart")
		c.Restart()
		c.look(c.names...)
	default:
		c.crash()
	}
	if c.random.IntN(3) == 0 {
		c.lookAtAList(people[c.random.IntN(len(people))])
	}
	c.lookAtTheExpired()
}

// expectation is what the model says that a proposal is answered with.
type expectation struct {
	refusal
	*life

	version, last uint64
	alive         bool
	changed       bool // for certain
	user          string
	member        sight
}

// propose has some changes happen to the model and to the engine, all at the same time, and compares.
func (c *campaign) propose(n int, lost bool) {
	c.t.Helper()
	began := time.Now()
	now := began.UnixMicro()
	proposals := make([]*actors.Proposal, n)
	want := make([]expectation, n)
	var touched []string
	for i := range proposals {
		name := c.focus[c.random.IntN(len(c.focus))]
		if !slices.Contains(touched, name) {
			touched = append(touched, name)
		}
		p := c.sources[name].draw(c.accounts[name], now)
		if lost {
			p = c.sources[name].again(p)
			p.Ack = actors.AckApplied
		}
		proposals[i], want[i] = p, c.expect(p, now)
	}
	replies := make([]actors.Reply, 1)
	var err error
	if n == 1 {
		replies[0], _ = c.Propose(c.t.Context(), proposals[0])
	} else if replies, err = c.ProposeBatch(c.t.Context(), proposals); err != nil {
		c.t.Fatalf("a batch of %d: %v", n, err)
	}
	if !time.Now().Equal(began) {
		c.t.Fatalf("proposing took %v of a time that should stand still", time.Since(began))
	}
	for i, p := range proposals {
		c.remember(p.Conversation, fact{at: began, proposal: p, reply: replies[i]})
		c.compareReply(p, &want[i], &replies[i])
	}
	c.done += n
	c.look(touched...)
}

// expect has a change happen to the model.
func (c *campaign) expect(p *actors.Proposal, now int64) (w expectation) {
	a := c.accounts[p.Conversation]
	user, one := conversation.Subject(p.Change)
	if !one {
		user = ""
	}
	before, was := a.sight(user, now), a.life
	w.refusal = a.apply(p, now)
	if a.life != was && was != nil && !was.told {
		c.past[past{p.Conversation, was.generation}] = &account{policy: a.policy, life: was}
	}
	w.life, w.alive, w.user = a.life, a.alive(now), user
	if !w.alive {
		return w
	}
	w.version, w.last = a.version, a.face().last
	w.changed = a.sight(user, now) != before
	if user != "" {
		w.member = a.membership(user)
	}
	return w
}

func (c *campaign) compareReply(p *actors.Proposal, w *expectation, r *actors.Reply) {
	c.t.Helper()
	if w.kind != nil || r.Err != nil {
		refused, ok := errors.AsType[*conversation.Error](r.Err)
		if !ok || w.kind == nil || !errors.Is(refused, w.kind) || refused.Field != w.field {
			c.differ(p.Conversation, "the answer to %s: got error %v, want %v of the field %q", p.Change.Kind(), r.Err, w.kind, w.field)
		}
		return
	}
	if level := r.Ack; level != actors.AckCommitted && (level != actors.AckApplied || p.Ack != actors.AckApplied) {
		c.differ(p.Conversation, "asked for %v, got %v", p.Ack, level)
	}
	if w.changed && !r.Changed {
		c.differ(p.Conversation, "the answer to %s says that nothing changed, but something did", p.Change.Kind())
	}
	if !w.alive {
		return
	}
	if w.life.generation == 0 {
		if r.Generation <= c.seen[p.Conversation] {
			c.differ(p.Conversation, "generation %d comes after %d", r.Generation, c.seen[p.Conversation])
		}
		w.life.generation = r.Generation
		c.seen[p.Conversation] = r.Generation
	}
	if r.Generation != w.life.generation || r.Version != w.version || r.LastSeq != w.last {
		c.differ(p.Conversation, "the answer to %s: got generation %d, version %d, last seq %d; want %d, %d, %d",
			p.Change.Kind(), r.Generation, r.Version, r.LastSeq, w.life.generation, w.version, w.last)
	}
	if w.user == "" {
		return
	}
	var got sight
	got.add(r.Membership)
	if got != w.member {
		c.differ(p.Conversation, "the membership in the answer to %s (-want +got):\n%s", p.Change.Kind(), cmp.Diff(w.member, got))
	}
}

// look compares what everybody, and every other user, sees of some conversations.
func (c *campaign) look(names ...string) {
	c.t.Helper()
	now := time.Now().UnixMicro()
	for _, name := range names {
		a := c.accounts[name]
		for i, user := range append([]string{""}, people...) {
			if i > 0 && c.random.IntN(2) == 0 {
				continue
			}
			if want, got := a.sight(user, now), seen(c.View(name, user)); want != got {
				c.differ(name, "what %q sees (-want +got):\n%s", user, cmp.Diff(want, got))
			}
		}
		if c.random.IntN(8) == 0 {
			c.lookAtMembers(name, now)
		}
	}
}

func (c *campaign) lookAtMembers(name string, now int64) {
	c.t.Helper()
	a := c.accounts[name]
	for _, query := range []actors.MembersQuery{{Conversation: name}, {Conversation: name, Users: people}} {
		var want, got []sight
		if a.alive(now) {
			for _, user := range people {
				if m, ok := a.members[user]; ok && (!m.left || query.Users != nil) {
					want = append(want, a.membership(user))
				}
			}
		}
		page, err := c.Members(c.t.Context(), query)
		if err != nil && (a.alive(now) || !errors.Is(err, conversation.ErrNotFound)) {
			c.differ(name, "its members: %v", err)
		}
		for i := range page.Members {
			var s sight
			s.add(&page.Members[i])
			got = append(got, s)
		}
		if !slices.Equal(want, got) {
			c.differ(name, "its members, named %v (-want +got):\n%s", query.Users != nil, cmp.Diff(want, got))
		}
	}
}

// lookAtAList compares a user's list, page by page.
func (c *campaign) lookAtAList(user string) {
	c.t.Helper()
	now := time.Now().UnixMicro()
	query := actors.ListQuery{User: user, Limit: 3, Hidden: c.random.IntN(3) == 0, UnreadOnly: c.random.IntN(3) == 0, TagsAny: uint64(c.random.IntN(3))}
	type row struct {
		Name string
		Seen sight
	}
	var want, got []row
	for _, name := range c.names {
		a := c.accounts[name]
		listed, hidden := a.listed(user, now)
		if !listed || hidden != query.Hidden {
			continue
		}
		s := a.sight(user, now)
		s.Draft, s.DraftAt = "", 0
		if (query.TagsAny == 0 || s.Tags&query.TagsAny != 0) && (!query.UnreadOnly || s.Unread > 0 || s.MarkedUnread) {
			want = append(want, row{name, s})
		}
	}
	slices.SortFunc(want, func(x, y row) int {
		switch {
		case x.Seen.Pin != y.Seen.Pin:
			return 1 - 2*btoi(x.Seen.Pin > y.Seen.Pin)
		case x.Seen.LastActivity != y.Seen.LastActivity:
			return 1 - 2*btoi(x.Seen.LastActivity > y.Seen.LastActivity)
		}
		return strings.Compare(x.Name, y.Name)
	})
	for {
		page, err := c.Conversations(c.t.Context(), query)
		if err != nil {
			c.t.Fatalf("the list of %s: %v", user, err)
		}
		for i := range page.Conversations {
			got = append(got, row{page.Conversations[i].Conversation, seen(&page.Conversations[i])})
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if !slices.Equal(want, got) {
		name := c.names[0]
		for i := range min(len(want), len(got)) {
			if want[i] != got[i] {
				name = want[i].Name
				break
			}
		}
		c.differ(name, "the list of %s, %+v (-want +got):\n%s", user, query, cmp.Diff(want, got))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lookAtTheExpired requires that what was deleted was over, and reads as the model says.
func (c *campaign) lookAtTheExpired() {
	c.t.Helper()
	c.mu.Lock()
	told := c.expired
	c.expired = nil
	c.mu.Unlock()
	if len(told) == 0 {
		return
	}
	for _, key := range c.gone {
		delete(c.past, key)
	}
	last := len(c.gone)
	now := time.Now().UnixMicro()
	for _, info := range told {
		if strings.HasPrefix(info.Conversation, "barrier:") {
			continue
		}
		key := past{info.Conversation, info.Generation}
		a := c.past[key]
		if current := c.accounts[info.Conversation]; a == nil && current.life != nil && current.generation == info.Generation && !current.alive(now) {
			a = &account{policy: current.policy, life: current.life} // current goes on to the next life
		}
		if a == nil || a.told {
			c.differ(info.Conversation, "deleted, though it was not over, or a second time: %+v", info)
			continue
		}
		a.told = true
		c.past[key], c.gone = a, append(c.gone, key)
		reason := persistence.ReasonExpired
		if a.deleted != 0 {
			reason = persistence.ReasonDeleted
		}
		if f := a.face(); info.LastSeq != f.last || micros(info.Deadline) != a.deadline() || info.At.Before(info.Deadline) || info.Reason != reason ||
			!c.usersAre(a, info) {
			c.differ(info.Conversation, "deleted: got %+v; want last seq %d, deadline %v, reason %v, users %v",
				info, f.last, time.UnixMicro(a.deadline()).UTC(), reason, slices.Sorted(maps.Keys(a.members)))
		}
	}
	c.gone = c.gone[last:]
}

// usersAre reports whether all users of a generation were told of, and nobody else. Rows of all generations up to the one deleted go with it: those who took part in a later
// one by then may be missing, and those of an earlier one that is yet to be deleted may be among them.
func (c *campaign) usersAre(a *account, info actors.ExpiredInfo) bool {
	latest := c.accounts[info.Conversation].life == a.life
	for _, user := range people {
		_, was := a.members[user]
		told := slices.Contains(info.Users, user)
		if told != was && (latest || told) && !(told && c.tookPartBefore(user, info)) {
			return false
		}
	}
	return true
}

// tookPartBefore reports whether a user was in a generation before, of which nothing was told until the last time.
func (c *campaign) tookPartBefore(user string, info actors.ExpiredInfo) bool {
	for p, a := range c.past {
		if _, was := a.members[user]; was && p.name == info.Conversation && p.generation < info.Generation {
			return true
		}
	}
	return false
}

func (c *campaign) advance(d time.Duration) {
	c.Advance(d)
	c.look(c.focus...)
}

// advanceToADeadline lets time go on to the very moment at which a conversation is over, or one microsecond off.
func (c *campaign) advanceToADeadline() {
	now := time.Now().UnixMicro()
	name := c.focus[c.random.IntN(len(c.focus))]
	a := c.accounts[name]
	if !a.alive(now) || a.deadline() == int64(persistence.Never) {
		return
	}
	c.advance(time.Duration(max(0, a.deadline()-now+int64(c.random.IntN(3))-1)) * time.Microsecond)
}

// crash ends the engine. What was proposed before the barrier is in the store: its commit covers all that was applied before. What is proposed after that, if anything, is
// certainly not, because the store stands still: the model goes back to the barrier.
func (c *campaign) crash() {
	c.t.Helper()
	c.barriers++
	if r := c.Do("barrier:0", &conversation.Post{Seq: c.barriers, Sender: "host"}); r.Err != nil {
		c.t.Fatalf("before a crash: %v", r.Err)
	}
	kept := map[string]*account{}
	for _, name := range c.focus {
		kept[name] = c.accounts[name].copy()
	}
	if c.random.IntN(2) == 0 {
		c.note("the store stands still")
		c.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return time.Hour
			}
			return 0
		}})
		c.propose(1+c.random.IntN(12), true)
	}
	c.note("crash")
	c.Crash()
	for name, a := range kept {
		if a.life != nil {
			delete(c.past, past{name, a.generation}) // what ended it was lost
		}
		c.accounts[name] = a
	}
	c.look(c.names...)
}

func (c *campaign) note(what string) {
	for _, name := range c.names {
		c.remember(name, fact{at: time.Now(), note: what})
	}
}

func (c *campaign) remember(name string, f fact) {
	c.trail[name] = append(c.trail[name], f)
	c.trail[name] = c.trail[name][max(0, len(c.trail[name])-60):]
}

// differ reports a difference with what happened to the conversation before.
func (c *campaign) differ(name, format string, args ...any) {
	c.t.Helper()
	var b strings.Builder
	for _, f := range c.trail[name] {
		fmt.Fprintf(&b, "  %s ", f.at.Format("05.000000"))
		switch p := f.proposal; {
		case p == nil:
			b.WriteString(f.note)
		case f.reply.Err != nil:
			fmt.Fprintf(&b, "%s %s, generation %d, revision %d: %v", p.Change.Kind(), spelt(p.Change), p.IfGeneration, p.Revision, f.reply.Err)
		default:
			fmt.Fprintf(&b, "%s %s, generation %d, revision %d: generation %d, version %d, changed %v",
				p.Change.Kind(), spelt(p.Change), p.IfGeneration, p.Revision, f.reply.Generation, f.reply.Version, f.reply.Changed)
		}
		b.WriteByte('\n')
	}
	c.t.Fatalf("%s, after %d operations: %s\nwhat happened to it at last:\n%s", name, c.done, fmt.Sprintf(format, args...), b.String())
}

// spelt is a change in one line, without the fields that are not set.
func spelt(change conversation.Change) string {
	fields := reflect.ValueOf(change).Elem()
	var b strings.Builder
	for i := range fields.NumField() {
		f := fields.Field(i)
		if f.IsZero() {
			continue
		}
		v := reflect.Indirect(f).Interface()
		if text, ok := v.([]byte); ok {
			v = string(text)
		}
		fmt.Fprintf(&b, "%s:%v ", fields.Type().Field(i).Name, v)
	}
	return strings.TrimSpace(b.String())
}

// finish lets everything end: nothing is left.
func (c *campaign) finish() {
	for _, name := range c.names {
		c.Do(name, &conversation.Hold{})
		if v := c.View(name, ""); v != nil {
			_, _ = c.Propose(c.t.Context(), &actors.Proposal{Conversation: name, Change: &conversation.Delete{}, IfGeneration: v.Generation})
		}
	}
	c.Advance(time.Minute)
	c.Check()
	c.Advance(2 * time.Hour)
	if n := c.Rows(); n != 0 {
		c.t.Errorf("%d rows are left long after everything was deleted and forgotten", n)
	}
}
