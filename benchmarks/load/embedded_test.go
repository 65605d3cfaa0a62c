package load_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// embedded sends a small workload to a real engine.
func embedded(t *testing.T, dir string, of workload.Config, c load.Config) *load.Report {
	t.Helper()
	w, err := workload.New(of)
	if err != nil {
		t.Fatal(err)
	}
	c.Rate, c.Duration, c.WarmUp = 500, 800*time.Millisecond, 100*time.Millisecond
	settings := actors.Config{Namespaces: map[string]conversation.Policy{workload.Namespace: {ExpireAfter: time.Hour}}}
	e, err := load.OpenEmbedded(t.Context(), w, c, load.EmbeddedConfig{Dir: dir, Store: badgerstore.Options{NoSync: true}, Engine: settings})
	if err != nil {
		t.Fatal(err)
	}
	report, err := load.Run(t.Context(), e, w, c)
	if err != nil {
		t.Error(err)
	} else if stats := e.Stats().Proposals; stats.Applied+stats.Refused+stats.Waiting != stats.Received {
		t.Errorf("of %d proposals %d were applied and %d refused", stats.Received, stats.Applied, stats.Refused)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return report
}

func TestAnEmbeddedEngineIsMeasured(t *testing.T) {
	for name, c := range map[string]load.Config{"one by one": {}, "in batches": {Batch: 20}} {
		dir := filepath.Join(t.TempDir(), "data")
		r := embedded(t, dir, workload.Config{Kind: workload.Hot, Conversations: 200, Reads: 0.3}, c)
		total := r.Total
		if total.Planned == 0 || total.Planned != total.Accepted()+total.NotAccepted()+total.Dropped+total.Unanswered {
			t.Errorf("%s: of %d planned: %+v, dropped %d, unanswered %d", name, total.Planned, total.Tally, total.Dropped, total.Unanswered)
		}
		if total.Changed == 0 || total.Latency == nil || total.Latency.Count != int64(total.Accepted()+total.Unanswered) {
			t.Errorf("%s: %+v, latency %+v", name, total.Tally, total.Latency)
		}
		if len(r.Samples) == 0 || r.Samples[0].HeapBytes == 0 || len(r.Windows) != 9 {
			t.Errorf("%s: %d samples, %d windows, want some and 9", name, len(r.Samples), len(r.Windows))
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
			t.Errorf("%s: nothing was left in the directory: %v", name, err)
		}
	}
}

func TestWhatExpiresInAnEmbeddedEngineDoesSoWithItsPhase(t *testing.T) {
	r := embedded(t, "", workload.Config{Kind: workload.Expiry, Conversations: 50, Expiring: 200}, load.Config{})
	e := r.Expiry
	if e == nil || !e.ByDeadline || e.Gone == 0 || e.Lateness == nil {
		t.Fatalf("got %+v, want conversations that are gone by their deadline", e)
	}
	for _, w := range r.Windows {
		// The deadline is 300 ms after the beginning.
		if w.AtSeconds+r.WindowSeconds <= 0.3 && w.GonePerSecond > 0 {
			t.Errorf("%v conversations a second are gone at %.1f s", w.GonePerSecond, w.AtSeconds)
		}
	}
}

func TestAStormOnAnEmbeddedEngineIsAnswered(t *testing.T) {
	r := embedded(t, "", workload.Config{Kind: workload.Storm, Askers: 40, Members: 5}, load.Config{})
	asks := r.Total.Asks
	if asks == nil || asks.Asked != 40 || asks.Failed+asks.Unanswered > 0 || asks.Latency.Count != 40 {
		t.Fatalf("got %+v, want 40 answers", asks)
	}
}

func TestAnEngineIsNotEmbeddedWhereSomethingIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letters"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := workload.New(workload.Config{Kind: workload.Zipf})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load.OpenEmbedded(t.Context(), w, load.Config{}, load.EmbeddedConfig{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir+" is not empty") {
		t.Errorf("got %v", err)
	}
}

func TestAReportIsOneJSONObject(t *testing.T) {
	r := embedded(t, "", workload.Config{Kind: workload.Expiry, Conversations: 50, Expiring: 20}, load.Config{})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back load.Report
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("error %v; it is another one when it is read back:\n%s\n%s", err, text, again)
	}
	var loose map[string]any
	if err := json.Unmarshal(text, &loose); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"target", "begun", "interrupted", "settings", "machine", "total", "phases", "expiry", "windows", "samples", "notes"} {
		if _, ok := loose[key]; !ok {
			t.Errorf("there is no %s", key)
		}
	}
	total, _ := loose["total"].(map[string]any)
	for _, key := range []string{"planned", "changed", "overloaded", "dropped", "latency", "accepted_per_second"} {
		if _, ok := total[key]; !ok {
			t.Errorf("there is no %s of all", key)
		}
	}
}
