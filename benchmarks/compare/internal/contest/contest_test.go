package contest_test

import (
	"context"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/peer"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// names are the comparisons that are promised: programs that read the JSON look for them.
func names() []string {
	return []string{
		"batched_vs_send", "batched_uniform_vs_stock", "single_hot_vs_send", "single_uniform_vs_stock", "ask_vs_future", "committed_vs_badger",
		"group_commit_vs_txn", "heap_vs_stock", "gc_vs_stock", "p99_vs_stock", "scale_5m_vs_100k", "reap_vs_badger", "reaping_p99_vs_quiet", "wire_vs_redis",
		"overload_p99_vs_nominal",
	}
}

func TestTheTableHasEveryComparisonWithATargetAtEverySize(t *testing.T) {
	for _, size := range []contest.Size{contest.Full(), contest.Quick(), contest.Tiny()} {
		var got []string
		for _, c := range contest.All(size) {
			got = append(got, c.Name)
			if c.Main.Reach <= 0 || c.What == "" || c.Against == "" {
				t.Errorf("%s: target %v, %q against %q", c.Name, c.Main.Reach, c.What, c.Against)
			}
			for _, r := range append(slices.Clone(c.Beside), c.Main) {
				if max(r.Ours.Contender, r.Theirs.Contender) >= len(c.Contenders) {
					t.Errorf("%s: ratio %q is of a contender that is not there", c.Name, r.Label)
				}
			}
		}
		if diff := cmp.Diff(names(), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if full := contest.Full(); full.Rounds < 5 {
		t.Errorf("medians are of %d rounds, want at least five", full.Rounds)
	}
}

// runner measures in this process, at tiny sizes.
func runner(t *testing.T) *contest.Runner {
	t.Helper()
	openers := parley.Sides()
	maps.Copy(openers, peer.Sides())
	return &contest.Runner{
		Launch: side.Local(openers), Size: contest.Tiny(), Dir: t.TempDir(), Programs: map[string]string{}, Say: func(string) {}, Step: func(int, int) {},
	}
}

func TestEveryComparisonMeasuresBothSides(t *testing.T) {
	if testing.Short() {
		t.Skip("each side has an engine or a peer to start")
	}
	for _, name := range names() {
		if name == "wire_vs_redis" { // its sides are other programs
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := runner(t)
			r.Only = func(n string) bool { return n == name }
			result, err := r.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Rows) != 1 || result.Rows[0].Name != name {
				t.Fatalf("got %d rows", len(result.Rows))
			}
			row := result.Rows[0]
			check := func(label string, o contest.Outcome) {
				// Between two moments of a busy machine there may be nothing to measure.
				if (name == "reaping_p99_vs_quiet" || name == "overload_p99_vs_nominal") && o.Rounds == 1 && o.Ours >= 0 {
					return
				}
				if !(o.Ours > 0 && o.Theirs > 0 && o.Value > 0) || math.IsInf(o.Value, 0) || o.Rounds < 1 {
					t.Errorf("%s: %+v", label, o)
				}
			}
			check(name, row.Outcome)
			for _, other := range row.Others {
				check(other.Label, other.Outcome)
			}
		})
	}
}

func TestTheFieldIsMeasuredWithoutThePeersThatAreNotThere(t *testing.T) {
	if testing.Short() {
		t.Skip("each side has an engine or a peer to start")
	}
	r := runner(t)
	r.Only = func(name string) bool { return name == contest.FieldName }
	result, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Peers) != 5 || len(result.Skipped) != 2 {
		t.Fatalf("%d peers, skipped: %q; want five, without the engine over the wire and Redis", len(result.Peers), result.Skipped)
	}
	for _, p := range result.Peers {
		if p.PerSecond <= 0 || p.Crash == "" || p.Expiry == "" || p.Keeps == "" {
			t.Errorf("%+v", p)
		}
	}
}

func TestRedisIsMeasuredWhereItIs(t *testing.T) {
	path, err := exec.LookPath(contest.RedisProgram)
	if err != nil || testing.Short() {
		t.Skip("there is no redis-server on the PATH, or no time to start it")
	}
	for _, variant := range []string{"", peer.SyncAlways} {
		s, err := peer.OpenHashes(t.Context(), side.Params{Dir: t.TempDir(), Program: path, Known: 50, Callers: 2, Batch: 10, Window: 20 * time.Millisecond, Variant: variant})
		if err != nil {
			t.Fatal(err)
		}
		figures, err := s.Round(t.Context())
		if err != nil || figures["rate"] <= 0 || figures["heap"] <= 0 {
			t.Errorf("%q: %v, error %v", variant, figures, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// steps is a side that measures what it is told to.
type steps struct {
	figures []side.Figures
	turns   *[]string
	name    string
	closed  *int
}

func (s *steps) Round(context.Context) (side.Figures, error) {
	*s.turns = append(*s.turns, s.name)
	next := s.figures[0]
	s.figures = s.figures[1:]
	return next, nil
}

func (s *steps) Close() error {
	*s.closed++
	return nil
}

func TestSidesTakeTurnsAndFiguresAreMedians(t *testing.T) {
	var turns []string
	closed := 0
	r := runner(t)
	r.Size.Rounds = 3
	r.Only = func(name string) bool { return name == "ask_vs_future" }
	r.Launch = func(_ context.Context, name string, _ side.Params) (side.Side, error) {
		took := map[string][]float64{"parley.asks": {10, 90, 20}, "stock.asks": {100, 200, 40}}[name]
		s := &steps{turns: &turns, name: name, closed: &closed}
		for _, ns := range took {
			s.figures = append(s.figures, side.Figures{"took": ns})
		}
		return s, nil
	}
	result, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"parley.asks", "stock.asks", "stock.asks", "parley.asks", "parley.asks", "stock.asks"}
	if diff := cmp.Diff(want, turns); diff != "" || closed != 2 {
		t.Errorf("%d sides closed; turns (-want +got):\n%s", closed, diff)
	}
	row := result.Rows[0]
	outcome := contest.Outcome{Ours: 20, Theirs: 100, Value: 0.2, Rounds: 3, Low: 0.1, High: 0.5}
	if diff := cmp.Diff(outcome, row.Outcome); diff != "" || !row.Main.Reached(row.Outcome) {
		t.Errorf("0.2 reaches at most 0.3: %v; (-want +got):\n%s", row.Main.Reached(row.Outcome), diff)
	}
}

// slow is a side whose rounds take long, of a bubble's virtual time: nobody waits for that.
type slow time.Duration

func (s slow) Round(context.Context) (side.Figures, error) {
	time.Sleep(time.Duration(s)) // virtual: it is the time that a round takes, and waits for nothing
	return side.Figures{"rate": 1, "p99": 1}, nil
}

func (slow) Close() error { return nil }

// What was filled long ago is filled anew: it would be another load that begins with it.
func TestAStoreIsFilledForAllThatBeginSoonAfter(t *testing.T) {
	for takes, want := range map[time.Duration]int{time.Second: 1, 5 * time.Minute: 3} {
		synctest.Test(t, func(t *testing.T) {
			r := runner(t)
			r.Size.Rounds = 1
			r.Only = func(name string) bool {
				return slices.Contains([]string{"batched_uniform_vs_stock", "single_uniform_vs_stock", "p99_vs_stock"}, name) // which begin with the same store
			}
			filled := 0
			r.Launch = func(_ context.Context, name string, p side.Params) (side.Side, error) {
				if name == "parley.fixture" {
					filled++
					return slow(0), nil
				}
				if p.Fixture != "" {
					if _, err := os.Stat(filepath.Dir(p.Fixture)); err != nil {
						t.Errorf("%s begins with a store that is not there: %v", name, err)
					}
				}
				return slow(takes), nil
			}
			if _, err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if filled != want {
				t.Errorf("where a round takes %v, %d stores were filled, want %d", takes, filled, want)
			}
			if left, err := os.ReadDir(r.Dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, error %v", left, err)
			}
		})
	}
}

func TestATargetFromBelowIsReachedFromAbove(t *testing.T) {
	atLeast, atMost, none := contest.Ratio{Reach: 2}, contest.Ratio{Reach: 2, AtMost: true}, contest.Ratio{}
	for value, want := range map[float64][3]bool{1.9: {false, true, false}, 2: {true, true, false}, 2.1: {true, false, false}} {
		o := contest.Outcome{Value: value}
		if got := [3]bool{atLeast.Reached(o), atMost.Reached(o), none.Reached(o)}; got != want {
			t.Errorf("%v: at least 2, at most 2, no target: %v, want %v", value, got, want)
		}
	}
}
