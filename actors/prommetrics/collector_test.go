package prommetrics

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
)

var update = flag.Bool("update", false, "write testdata/metrics.txt anew")

// disk is a store that says what it is told to.
type disk struct {
	says persistence.Space
	err  error
}

func (d disk) Space() (persistence.Space, error) { return d.says, d.err }

// gather scrapes a collector and checks that it shows what it describes and no series twice.
func gather(t *testing.T, c prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

// sample returns the value of a series, which is given as name{label="value"}; of a histogram its count.
func sample(t *testing.T, families map[string]*dto.MetricFamily, series string) float64 {
	t.Helper()
	name, labels, _ := strings.Cut(series, "{")
	for _, m := range families[name].GetMetric() {
		var pairs []string
		for _, l := range m.GetLabel() {
			pairs = append(pairs, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		if strings.Join(pairs, ",") != strings.TrimSuffix(labels, "}") {
			continue
		}
		switch {
		case m.Counter != nil:
			return m.GetCounter().GetValue()
		case m.Gauge != nil:
			return m.GetGauge().GetValue()
		case m.Histogram != nil:
			return float64(m.GetHistogram().GetSampleCount())
		}
	}
	t.Fatalf("there is no series %s", series)
	return 0
}

func TestNamesTypesAndHelpAreAsPublished(t *testing.T) {
	config := busy()
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		everything(t, e)
		c := New(e, disk{})
		problems, err := testutil.CollectAndLint(c)
		if err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		families := gather(t, c)
		var text strings.Builder
		for _, name := range names() {
			f := families[name]
			if f == nil {
				t.Errorf("%s is described, but not shown", name)
				continue
			}
			var labels []string
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels = append(labels, l.GetName())
			}
			fmt.Fprintf(&text, "%s{%s} %s\n\t%s\n", name, strings.Join(labels, ","), strings.ToLower(f.GetType().String()), f.GetHelp())
		}
		if len(families) != len(names()) {
			t.Errorf("%d names are shown, %d are described", len(families), len(names()))
		}
		golden := filepath.Join("testdata", "metrics.txt")
		if *update {
			if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), text.String()); diff != "" {
			t.Errorf("what is shown changed; with -update it is written anew (-want +got):\n%s", diff)
		}
	})
}

// names returns those of all metrics, in their order.
func names() (all []string) {
	add := func(d *prometheus.Desc) {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		all = append(all, name)
	}
	for _, m := range engineMetrics() {
		add(m.desc)
	}
	for _, m := range diskMetrics() {
		add(m.desc)
	}
	return all
}

func TestWithoutAStoreToAskThereIsNoDisk(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		for what, c := range map[string]*Collector{"no store": New(e, nil), "a store that fails": New(e, disk{err: errors.New("no")})} {
			if families := gather(t, c); families["parley_store_free_bytes"] != nil || families["parley_journal_rows"] == nil {
				t.Errorf("%s: got %d names, want those of the engine alone", what, len(families))
			}
		}
		families := gather(t, New(e, disk{says: persistence.Space{Tables: 1, Stale: 2, ValueLog: 3, Free: 4, Reserve: 5}}))
		for i, name := range []string{"lsm", "lsm_stale", "value_log", "free", "reserve"} {
			if got := sample(t, families, "parley_store_"+name+"_bytes"); got != float64(i+1) {
				t.Errorf("%s: got %v, want %d", name, got, i+1)
			}
		}
	})
}

func TestAStoppedEngineIsStillShown(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := sample(t, gather(t, New(e, nil)), `parley_proposals_total{ack="committed",result="changed"}`); got != 1 {
			t.Errorf("got %v proposals, want 1", got)
		}
	})
}

func TestTheTableInTheDocsIsWhatIsShown(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "metrics.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range bytes.Lines(text) {
		cells := strings.Split(string(line), "|")
		if len(cells) == 6 && strings.HasPrefix(cells[1], " `parley_") {
			for i := range cells {
				cells[i] = strings.Trim(cells[i], " `")
			}
			got = append(got, fmt.Sprintf("%s{%s} %s\n\t%s", cells[1], strings.ReplaceAll(strings.ReplaceAll(cells[2], "`", ""), ", ", ","), cells[3], cells[4]))
		}
	}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(golden), "\n"), "\nparley_") {
		want = append(want, "parley_"+strings.TrimPrefix(entry, "parley_"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md (-shown +documented):\n%s", diff)
	}
}

func TestEachMetricThatTheDocsAskForExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := names()
	asked := 0
	for _, name := range regexp.MustCompile(`parley_[a-z_]+`).FindAllString(string(text), -1) {
		asked++
		if !slices.Contains(all, strings.TrimSuffix(name, "_bucket")) {
			t.Errorf("docs/metrics.md asks for %s, which there is not", name)
		}
	}
	if asked < len(all) {
		t.Errorf("docs/metrics.md has %d names, fewer than the %d that there are", asked, len(all))
	}
}
