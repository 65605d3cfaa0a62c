package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

// TestMain is also the children that the tests' comparisons start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "side" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// tiny are options that show that everything works, of some comparisons.
func tiny(t *testing.T, only ...string) *options {
	t.Helper()
	return &options{size: contest.Tiny(), only: only, dir: t.TempDir()}
}

func TestAComparisonIsMeasuredInProcessesOfTheirOwnAndWritten(t *testing.T) {
	o := tiny(t, "single_hot_vs_send", "heap_vs_stock")
	o.json, o.markdown = filepath.Join(t.TempDir(), "ratios.json"), filepath.Join(t.TempDir(), "page.md")
	var out, errOut bytes.Buffer
	if err := compare(t.Context(), o, &out, &errOut); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"single_hot_vs_send", "≥ 0.4", "heap_vs_stock", "≤ 0.7"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, out.String())
		}
	}
	if !strings.Contains(errOut.String(), "heap_vs_stock") {
		t.Errorf("what is done was not told: %s", errOut.String())
	}
	text, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Ratios map[string]float64 `json:"ratios"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Ratios) != 2 || document.Ratios["single_hot_vs_send"] <= 0 || document.Ratios["heap_vs_stock"] <= 0 {
		t.Errorf("ratios: %v", document.Ratios)
	}
	page, err := os.ReadFile(o.markdown)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| `single_hot_vs_send` |", "## Where the other side is ahead", "protoactor"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
	if left, err := os.ReadDir(o.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestTheEngineIsMeasuredOverTheWire(t *testing.T) {
	if testing.Short() {
		t.Skip("the engine has to be built")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build it with")
	}
	o := tiny(t, "wire_vs_redis")
	o.json = "-"
	var out, errOut bytes.Buffer
	if err := compare(t.Context(), o, &out, &errOut); err != nil {
		t.Fatal(err)
	}
	_, redis := exec.LookPath(contest.RedisProgram)
	if measured := strings.Contains(out.String(), `"wire_vs_redis": `); measured != (redis == nil) {
		t.Errorf("measured: %v, redis-server: %v\n%s", measured, redis, out.String())
	}
	if told := strings.Contains(out.String(), "there is no redis-server on the PATH"); told == (redis == nil) {
		t.Errorf("that it was left out is told: %v, redis-server: %v\n%s", told, redis, out.String())
	}
}

func TestWhatASideFailsOfIsTold(t *testing.T) {
	o := tiny(t, "single_hot_vs_send")
	o.size.Hot, o.size.Active = -1, 0
	var out, errOut bytes.Buffer
	err := compare(t.Context(), o, &out, &errOut)
	if err == nil || !strings.Contains(err.Error(), "single_hot_vs_send: side parley.posts") {
		t.Errorf("got error %v", err)
	}
}

func TestAnInterruptEndsTheChildren(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := tiny(t, "ask_vs_future")
	var out bytes.Buffer
	err := compare(ctx, o, &out, cancelling{"ask_vs_future", cancel})
	if err == nil {
		t.Fatal("the run went on to its end")
	}
	if left, err := os.ReadDir(o.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// What was measured until then is written; a page with less than the one that may be there is not.
func TestARunThatEndsEarlyWritesWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := tiny(t, "single_hot_vs_send", "heap_vs_stock")
	o.json, o.markdown = filepath.Join(t.TempDir(), "ratios.json"), filepath.Join(t.TempDir(), "page.md")
	var out bytes.Buffer
	if err := compare(ctx, o, &out, cancelling{"heap_vs_stock", cancel}); err == nil {
		t.Fatal("the run went on to its end")
	}
	text, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Ratios  map[string]float64 `json:"ratios"`
		Skipped []string           `json:"skipped"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Ratios) != 1 || document.Ratios["single_hot_vs_send"] <= 0 || len(document.Skipped) != 1 || !strings.Contains(document.Skipped[0], "heap_vs_stock") {
		t.Errorf("%+v, want the first ratio, and that the other was not measured", document)
	}
	if _, err := os.Stat(o.markdown); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the page: %v, want none", err)
	}
}

// cancelling cancels once something is written to it.
type cancelling struct {
	at     string
	cancel context.CancelFunc
}

func (c cancelling) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.at)) {
		c.cancel()
	}
	return len(p), nil
}

func TestUnknownComparisonsAreRefusedByName(t *testing.T) {
	command := newRoot()
	command.SetArgs([]string{"--only", "batched_vs_sent"})
	command.SetOut(&bytes.Buffer{})
	command.SetErr(&bytes.Buffer{})
	err := command.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), `"batched_vs_sent"`) || !strings.Contains(err.Error(), "batched_vs_send,") {
		t.Errorf("got error %v", err)
	}
}

func TestTheEngineHasNoPeerInIt(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to ask")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/parley-im/parley/cmd/engine")
	said, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range []string{"redis", "otter", "parley/benchmarks/compare", "gonum.org"} {
		for line := range strings.Lines(string(said)) {
			if strings.Contains(line, peer) {
				t.Errorf("cmd/engine depends on %s", strings.TrimSpace(line))
			}
		}
	}
	if !strings.Contains(string(said), "protoactor-go") {
		t.Errorf("what was listed is not the engine: %s", said)
	}
}
