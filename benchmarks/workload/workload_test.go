package workload_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/trace"
	"github.com/parley-im/parley/benchmarks/workload"
)

const recorded = `unix_seconds,conversation,seq,sender,bytes,mentions
1519661231,3,1,3,25,1 12
1519661232,1,1,3,5,
1519661233,3,2,4,7,
`

// kinds has a small workload of each kind.
func kinds(t *testing.T) map[workload.Kind]workload.Config {
	t.Helper()
	configs := map[workload.Kind]workload.Config{}
	for _, kind := range workload.Kinds() {
		configs[kind] = workload.Config{Kind: kind, Conversations: 100, Reads: 0.25, Expiring: 50, Askers: 20}
	}
	groups := configs[workload.Groups]
	groups.Conversations, groups.Members = 3, 2_500
	configs[workload.Groups] = groups
	replayed := configs[workload.Trace]
	replayed.Trace = reader(t)
	configs[workload.Trace] = replayed
	return configs
}

func reader(t *testing.T) *trace.Reader {
	t.Helper()
	r, err := trace.NewReader("small.csv", strings.NewReader(recorded))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newWorkload(t *testing.T, c workload.Config) *workload.Workload {
	t.Helper()
	w, err := workload.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func draw(w *workload.Workload, n int) []*actors.Proposal {
	drawn := make([]*actors.Proposal, n)
	for i := range drawn {
		drawn[i] = w.Next()
	}
	return drawn
}

func TestAWorkloadIsTheSameForTheSameSeed(t *testing.T) {
	for kind, c := range kinds(t) {
		c.Seed = 7
		first := newWorkload(t, c)
		if kind == workload.Trace {
			c.Trace = reader(t)
		}
		second := newWorkload(t, c)
		if diff := cmp.Diff(slices.Collect(first.Begin()), slices.Collect(second.Begin())); diff != "" {
			t.Errorf("%s begins otherwise: %s", kind, diff)
		}
		if diff := cmp.Diff(draw(first, 500), draw(second, 500)); diff != "" {
			t.Errorf("%s goes on otherwise: %s", kind, diff)
		}
		c.Seed = 8
		if kind == workload.Trace {
			continue // it was recorded, not drawn
		}
		if cmp.Equal(draw(newWorkload(t, c), 500), draw(first, 500)) {
			t.Errorf("%s is the same for another seed", kind)
		}
	}
}

func TestEverythingDrawnIsAcceptable(t *testing.T) {
	for kind, c := range kinds(t) {
		w := newWorkload(t, c)
		all := slices.Collect(w.Begin())
		if len(all) != w.Beginnings() {
			t.Errorf("%s: begins with %d proposals, and says %d", kind, len(all), w.Beginnings())
		}
		for _, p := range append(all, draw(w, 1_000)...) {
			if err := errors.Join(conversation.CheckConversation(p.Conversation), conversation.Check(p.Change)); err != nil {
				t.Fatalf("%s: %s %+v: %v", kind, p.Conversation, p.Change, err)
			}
			if p.Ack != actors.AckCommitted {
				t.Fatalf("%s: asks for %v, want committed, the default", kind, p.Ack)
			}
		}
	}
}

func TestMessagesAreNumberedOneByOne(t *testing.T) {
	for kind, c := range kinds(t) {
		w := newWorkload(t, c)
		last := map[string]uint64{}
		for p := range w.Begin() {
			if post, ok := p.Change.(*conversation.Post); ok {
				last[p.Conversation] = post.Seq
			}
		}
		for range 2_000 {
			switch p := w.Next(); change := p.Change.(type) {
			case *conversation.Post:
				if change.Seq != last[p.Conversation]+1 {
					t.Fatalf("%s: %s has message %d behind %d", kind, p.Conversation, change.Seq, last[p.Conversation])
				}
				last[p.Conversation] = change.Seq
			case *conversation.Read:
				if change.Seq != last[p.Conversation] {
					t.Fatalf("%s: %s is read up to %d, the last is %d", kind, p.Conversation, change.Seq, last[p.Conversation])
				}
			default:
				t.Fatalf("%s: drew a %s", kind, change.Kind())
			}
		}
	}
}

func TestOnlyMembersSpeakAndRead(t *testing.T) {
	for kind, c := range kinds(t) {
		if kind == workload.Trace {
			continue // whoever speaks becomes a member
		}
		w := newWorkload(t, c)
		members := map[string]map[string]bool{}
		belongs := map[string]int{}
		for p := range w.Begin() {
			var named []string
			switch change := p.Change.(type) {
			case *conversation.Post:
				named = change.Members
			case *conversation.Join:
				named = change.Users
			}
			if strings.HasPrefix(p.Conversation, workload.ExpiringNamespace) {
				continue
			}
			if members[p.Conversation] == nil {
				members[p.Conversation] = map[string]bool{}
			}
			for _, user := range named {
				if members[p.Conversation][user] {
					t.Fatalf("%s: %s has %s twice", kind, p.Conversation, user)
				}
				members[p.Conversation][user] = true
				belongs[user]++
			}
		}
		for name, users := range members {
			if len(users) != w.Config().Members {
				t.Errorf("%s: %s has %d members, want %d", kind, name, len(users), w.Config().Members)
			}
		}
		for user, n := range belongs {
			if most := 20; kind != workload.Groups && n > most {
				t.Errorf("%s: %s is in %d conversations, want about ten", kind, user, n)
			}
		}
		for _, p := range draw(w, 1_000) {
			var user string
			switch change := p.Change.(type) {
			case *conversation.Post:
				user = change.Sender
			case *conversation.Read:
				user = change.User
			}
			if !members[p.Conversation][user] {
				t.Fatalf("%s: %s is no member of %s", kind, user, p.Conversation)
			}
		}
	}
}

// shares returns how often each conversation is drawn, by number, of all draws.
func shares(t *testing.T, c workload.Config, draws int) []float64 {
	t.Helper()
	w := newWorkload(t, c)
	numbers := map[string]int{}
	for p := range w.Begin() {
		numbers[p.Conversation] = len(numbers)
	}
	counts := make([]float64, len(numbers))
	for _, p := range draw(w, draws) {
		counts[numbers[p.Conversation]] += 1 / float64(draws)
	}
	return counts
}

func TestZipfFallsWithThePowerOfTheRank(t *testing.T) {
	const n, skew = 100, 1.3
	got := shares(t, workload.Config{Kind: workload.Zipf, Conversations: n, Skew: skew}, 200_000)
	var sum float64
	for rank := range n {
		sum += math.Pow(float64(rank+1), -skew)
	}
	for rank, share := range got {
		want := math.Pow(float64(rank+1), -skew) / sum
		if off := math.Abs(share - want); off > 6*math.Sqrt(want/200_000) {
			t.Errorf("no. %d gets %.5f of all, want %.5f", rank+1, share, want)
		}
	}
}

func TestUniformGivesAllConversationsAsMany(t *testing.T) {
	const n = 100
	for i, share := range shares(t, workload.Config{Kind: workload.Uniform, Conversations: n}, 200_000) {
		if off := math.Abs(share - 1.0/n); off > 6*math.Sqrt(1.0/n/200_000) {
			t.Errorf("conversation %d gets %.5f of all, want %.5f", i, share, 1.0/n)
		}
	}
}

func TestNineOfTenGoToTheHotSet(t *testing.T) {
	got := shares(t, workload.Config{Kind: workload.Hot, Conversations: 1_000, Hot: 0.02}, 100_000)
	var hot float64
	for _, share := range got[:20] {
		hot += share
	}
	if math.Abs(hot-0.9) > 0.01 {
		t.Errorf("20 of 1,000 conversations get %.3f of all, want 0.9", hot)
	}
	if got[500] == 0 {
		t.Error("a conversation that is not hot gets nothing")
	}
}

func TestReadsAreTheShareAskedFor(t *testing.T) {
	for _, want := range []float64{0, 0.25, 1} {
		reads := 0
		for _, p := range draw(newWorkload(t, workload.Config{Kind: workload.Uniform, Reads: want}), 20_000) {
			if p.Change.Kind() == "read" {
				reads++
			}
		}
		if got := float64(reads) / 20_000; math.Abs(got-want) > 0.02 {
			t.Errorf("%.3f of all are reads, want %.2f", got, want)
		}
	}
}

func TestATraceIsRepeatedInItsOrder(t *testing.T) {
	w := newWorkload(t, workload.Config{Kind: workload.Trace, Trace: reader(t), Run: "a"})
	post := func(seq uint64, sender string, mentions ...string) *conversation.Post {
		return &conversation.Post{Seq: seq, Sender: sender, Mentions: mentions, Preview: []byte("Shall we meet at the station at seven?")}
	}
	var got []*conversation.Post
	var in []string
	for _, p := range draw(w, 5) {
		post, _ := p.Change.(*conversation.Post)
		got, in = append(got, post), append(in, p.Conversation)
	}
	want := []*conversation.Post{post(1, "user-a-03", "user-a-01", "user-a-12"), post(1, "user-a-03"), post(2, "user-a-04"), post(3, "user-a-03", "user-a-01", "user-a-12"), post(2, "user-a-03")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"load:a-3", "load:a-1", "load:a-3", "load:a-3", "load:a-1"}, in); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
}

func TestDrawingAllocatesTheProposalAlone(t *testing.T) {
	for kind, c := range kinds(t) {
		if kind == workload.Trace {
			continue // it has mentions
		}
		w := newWorkload(t, c)
		if allocations := testing.AllocsPerRun(1_000, func() { w.Next() }); allocations > 1 {
			t.Errorf("%s: a draw makes %v allocations, want 1", kind, allocations)
		}
	}
}

func TestRunsDoNotMeet(t *testing.T) {
	for kind, c := range kinds(t) {
		names := map[string]string{}
		for _, run := range []string{"", "a", "b"} {
			c.Run = run
			if kind == workload.Trace {
				c.Trace = reader(t)
			}
			w := newWorkload(t, c)
			for _, p := range append(slices.Collect(w.Begin()), draw(w, 100)...) {
				if other, ok := names[p.Conversation]; ok && other != run {
					t.Fatalf("%s: run %q and run %q have %s", kind, run, other, p.Conversation)
				}
				names[p.Conversation] = run
			}
		}
	}
}

func TestTheEventComesWithTheSecondPhase(t *testing.T) {
	for kind, c := range kinds(t) {
		phases := newWorkload(t, c).Phases(8 * time.Second)
		want := []workload.Phase{{Name: "steady"}}
		switch kind {
		case workload.Expiry:
			want = []workload.Phase{{Name: "quiet"}, {Name: "expiry", Begins: 2 * time.Second, Event: workload.Expires}, {Name: "after", Begins: 6 * time.Second}}
		case workload.Storm:
			want = []workload.Phase{{Name: "quiet"}, {Name: "storm", Begins: 2 * time.Second, Event: workload.Asks}, {Name: "after", Begins: 6 * time.Second}}
		default:
		}
		if diff := cmp.Diff(want, phases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestWhatExpiresIsAskedForByItsNumber(t *testing.T) {
	w := newWorkload(t, workload.Config{Kind: workload.Expiry, Conversations: 5, Expiring: 12, Run: "x"})
	var tags []uint64
	for p := range w.Begin() {
		if w.IsExpiring(p.Conversation) != (p.Tag != 0) {
			t.Errorf("%s has the tag %d", p.Conversation, p.Tag)
		}
		if p.Tag == 0 {
			continue
		}
		tags = append(tags, p.Tag)
		if d := w.Deletion(p.Tag, 99); d.Conversation != p.Conversation || d.IfGeneration != 99 || d.Change.Kind() != "delete" {
			t.Errorf("%s is deleted by %+v", p.Conversation, d)
		}
	}
	if len(tags) != w.Expiring() || tags[0] != 1 || tags[len(tags)-1] != 12 {
		t.Errorf("got the tags %v, want 1 to 12", tags)
	}
	if w.IsExpiring("load-expiring:y-03") || w.IsExpiring("load-expiring:x-003") {
		t.Error("a conversation of another run is taken for one of these")
	}
}

func TestFaultsNameTheirField(t *testing.T) {
	for want, c := range map[string]workload.Config{
		`workload: must be one of zipf, uniform, hot, groups, expiry, storm, trace, is "calm"`: {Kind: "calm"},
		"conversations: must be 1 to 100000000, is -1":                                         {Kind: workload.Zipf, Conversations: -1},
		"members: must be 1 to 1000000, is -1":                                                 {Kind: workload.Zipf, Members: -1},
		"members: 10000000 conversations of 1000 members are more than fit in memory":          {Kind: workload.Zipf, Conversations: 10_000_000, Members: 1_000},
		"expiring: must be 1 to 100000000, is -1":                                              {Kind: workload.Expiry, Expiring: -1},
		"reads: must be a share from 0 to 1, is 1.5":                                           {Kind: workload.Zipf, Reads: 1.5},
		"skew: must be more than 1, is 1":                                                      {Kind: workload.Zipf, Skew: 1},
		"hot: must be a share between 0 and 1, is 1":                                           {Kind: workload.Hot, Hot: 1},
		"expire-over: must not be negative, is -1s":                                            {Kind: workload.Expiry, ExpireOver: -time.Second},
		"trace: must be set":                                                                   {Kind: workload.Trace},
		`run: must be at most 32 letters, digits and dashes, is "a b"`:                         {Kind: workload.Zipf, Run: "a b"},
		"askers: must be at most the 40 users of 20 conversations of 20 members, is 41":        {Kind: workload.Storm, Conversations: 20, Askers: 41},
	} {
		_, err := workload.New(c)
		if _, ok := errors.AsType[*workload.FieldError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, err := workload.New(workload.Config{Kind: workload.Zipf, Reads: -1, Skew: 0.5})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want both faults", err)
	}
}

func TestABrokenTraceIsToldByItsLine(t *testing.T) {
	r, err := trace.NewReader("small.csv", strings.NewReader(trace.Header+"\n1,1,1,1,1,\n1,1,x,1,1,\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workload.New(workload.Config{Kind: workload.Trace, Trace: r}); err == nil || !strings.Contains(err.Error(), "small.csv:3:3: seq") {
		t.Errorf("got %v, want one that names line and field", err)
	}
	if r, err = trace.NewReader("empty.csv", strings.NewReader(trace.Header+"\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := workload.New(workload.Config{Kind: workload.Trace, Trace: r}); err == nil || !strings.Contains(err.Error(), "trace: there is no message in it") {
		t.Errorf("got %v, want that it is empty", err)
	}
}
