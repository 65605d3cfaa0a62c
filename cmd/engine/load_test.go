package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/load"
)

func TestTheProgressOfALoadSaysHowItGoes(t *testing.T) {
	for want, p := range map[string]load.Progress{
		"preparing: 1,500 of 10,000 begun": {Phase: "preparing", Prepared: 1_500, Preparing: 10_000},
		"expiry 7s of 23s: 4,998/s, p99 12.35ms, 1,234 unanswered": {
			Phase: "expiry", Done: 7 * time.Second, Total: 23 * time.Second, Answered: 4_998.4, P99: 12_345 * time.Microsecond, Unanswered: 1_234,
		},
		"steady 1s of 2s: 0/s, p99 0s, 0 unanswered, 5 refused, 6 dropped": {Phase: "steady", Done: time.Second, Total: 2 * time.Second, Refused: 5, Dropped: 6},
	} {
		if got := progressLine(&p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheProgressOfALoadIsDrawnAndTakenAway(t *testing.T) {
	var terminal bytes.Buffer
	show, hide := barOf(&terminal)
	show(load.Progress{Phase: "preparing", Prepared: 1, Preparing: 10})
	show(load.Progress{Phase: "steady", Done: time.Second, Total: 4 * time.Second, Answered: 2_000})
	show(load.Progress{Phase: "draining", Done: 4 * time.Second, Total: 4 * time.Second})
	drawn := terminal.String()
	for _, want := range []string{"preparing: 1 of 10 begun", "steady 1s of 4s: 2,000/s", "draining"} {
		if !strings.Contains(drawn, want) {
			t.Errorf("%q was not drawn: %q", want, drawn)
		}
	}
	hide()
	if after := strings.TrimPrefix(terminal.String(), drawn); strings.Contains(after, "steady") || !strings.HasSuffix(after, "\r") {
		t.Errorf("it is not taken away: %q", after)
	}
}

func TestAnOldReportStaysUntilThereIsANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	old := strings.Repeat("old ", 10_000)
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := openReports(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := files.abandon(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != old {
		t.Errorf("%v; the old report is now %.20q", err, text)
	}
	if files, err = openReports(path, ""); err != nil {
		t.Fatal(err)
	}
	if err := files.write(&load.Report{Target: "new"}); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"target": "new"`) || strings.Contains(string(text), "old") {
		t.Errorf("%v; the report is %.200q", err, text)
	}
}
