package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

// measured is a result with a ratio that reached its target, one that did not, and a peer that is ahead.
func measured() *contest.Result {
	row := func(name string, r contest.Ratio, o contest.Outcome) contest.Row {
		return contest.Row{Comparison: contest.Comparison{Name: name, What: "this", Against: "that", Note: "A remark.", Main: r}, Outcome: o}
	}
	fast := row("fast", contest.Ratio{Reach: 2}, contest.Outcome{Ours: 300_000, Theirs: 100_000, Value: 3, Rounds: 5, Low: 2.5, High: 3.5})
	small := row("small", contest.Ratio{Unit: contest.Bytes, Reach: 0.5, AtMost: true}, contest.Outcome{Ours: 1500, Theirs: 1000, Value: 1.5, Rounds: 5, Low: 1.4, High: 1.6})
	small.Others = []contest.Other{{
		Ratio:   contest.Ratio{Label: "when it rains", Unit: contest.Milliseconds, AtMost: true},
		Outcome: contest.Outcome{Ours: 1, Theirs: 4, Value: 0.25, Rounds: 1, Low: 0.25, High: 0.25},
	}}
	itself := row("itself", contest.Ratio{Reach: 0.5}, contest.Outcome{Ours: 1, Theirs: 2, Value: 0.5, Rounds: 5, Low: 0.5, High: 0.5})
	itself.Alone = true
	return &contest.Result{
		Date: time.Date(2024, time.May, 6, 7, 8, 9, 0, time.UTC), Took: 4 * time.Minute, Stolen: 0.0625, Size: contest.Full(),
		Machine: contest.Machine{Processor: "a slow one", Processors: 2, Versions: map[string]string{"github.com/a/b": "v1"}},
		Rows:    []contest.Row{fast, small, itself},
		Peers: []contest.PeerRow{
			{Peer: contest.Peer{Name: "Parley"}, PerSecond: 1000, P99: 2, Bytes: 100},
			{Peer: contest.Peer{Name: "a map", Crash: "everything"}, PerSecond: 4000, P99: 4},
		},
		Skipped: []string{"third was left out: there is no such program."},
	}
}

func TestRatiosOfTheJSONAreTheComparisonsByName(t *testing.T) {
	var out bytes.Buffer
	if err := JSON(&out, measured()); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Ratios      map[string]float64 `json:"ratios"`
		Comparisons map[string]struct {
			Ours    float64 `json:"ours"`
			Reached bool    `json:"reached"`
			Beside  []any   `json:"beside"`
		} `json:"comparisons"`
		Quick   *bool    `json:"quick"`
		Skipped []string `json:"skipped"`
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"fast": 3, "small": 1.5, "itself": 0.5}, document.Ratios); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	fast, small := document.Comparisons["fast"], document.Comparisons["small"]
	if !fast.Reached || small.Reached || fast.Ours != 300_000 || len(small.Beside) != 1 || document.Quick == nil || len(document.Skipped) != 1 {
		t.Errorf("%s", out.String())
	}
}

func TestWhatWasNotMeasuredIsNoNumberThatBreaksTheJSON(t *testing.T) {
	r := measured()
	r.Rows[0].Outcome = contest.Outcome{Ours: math.NaN(), Theirs: 0, Value: math.Inf(1)}
	if err := JSON(&bytes.Buffer{}, r); err != nil {
		t.Error(err)
	}
}

func TestThePageSaysWhereTheOtherSideIsAhead(t *testing.T) {
	var out bytes.Buffer
	if err := Markdown(&out, measured()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `fast` | 300,000/s | 100,000/s | **3.00** | 2.50 – 3.50 | ≥ 2 | yes |",
		"| `small` | 1,500 B | 1,000 B | **1.50** | 1.40 – 1.60 | ≤ 0.5 | no |",
		"| — when it rains | 1.00 ms | 4.00 ms | 0.250 | 0.250 – 0.250 | – |  |",
		"Targets that this run did not reach: `small` (1.50, ≤ 0.5).",
		"* `small`: the other side is better by a factor of 1.50 (1,500 B against 1,000 B).",
		"* Of what one might pick instead: a map is ahead in updates/s, 4.00 times.",
		"third was left out", "6.2 % of the time asked of the processors", "2024-05-06", "a slow one", "a/b v1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not on the page:\n%s", want, out.String())
		}
	}
	for _, wrong := range []string{"* `fast`:", "* `itself`:", "`small`, when it rains: the other", "ahead in p99"} {
		if strings.Contains(out.String(), wrong) {
			t.Errorf("%q is on the page:\n%s", wrong, out.String())
		}
	}
}

func TestTheTableHasALineForEachRatio(t *testing.T) {
	var out bytes.Buffer
	if err := Text(&out, measured()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"fast ", "300,000/s", "≥ 2", "  when it rains", "a map", "left out", "gave 6.2 % of the time"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, out.String())
		}
	}
}

func TestFiguresHaveThreeDigitsAndAUnit(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  contest.Unit
		want  string
	}{
		{1_234_567, contest.PerSecond, "1,230,000/s"},
		{999.6, contest.PerSecond, "1,000/s"},
		{12.34, contest.Milliseconds, "12.3 ms"},
		{1.234, contest.Milliseconds, "1.23 ms"},
		{0.00334, contest.Milliseconds, "3.34 µs"},
		{0, contest.Milliseconds, "0 ms"},
		{7_763, contest.Nanoseconds, "7,760 ns"},
		{27_600, contest.Nanoseconds, "27.6 µs"},
		{761, contest.Bytes, "761 B"},
		{3 << 20, contest.Bytes, "3.00 MiB"},
		{math.NaN(), contest.PerSecond, "–"},
	} {
		if got := figure(c.value, c.unit); got != c.want {
			t.Errorf("%v: %q, want %q", c.value, got, c.want)
		}
	}
	for value, want := range map[float64]string{0.001: "0.1 %", 0.0625: "6.2 %", 1: "100.0 %"} {
		if got := percent(value); got != want {
			t.Errorf("%v: %q, want %q", value, got, want)
		}
	}
	for value, want := range map[float64]string{0.0305: "0.0305", 0.5: "0.500", 6: "6.00", 105.4: "105"} {
		if got := ratio(value); got != want {
			t.Errorf("%v: %q, want %q", value, got, want)
		}
	}
}
