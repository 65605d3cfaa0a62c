package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-im/parley/benchmarks/replay"
)

// The trace in small.csv: with 720h, conversation 1 speaks again exactly at its deadline and conversation 2 expires exactly at the last message.
var (
	smallTrace     = filepath.Join("testdata", "replay", "small.csv")
	malformedTrace = filepath.Join("testdata", "replay", "malformed.csv")
)

// runReplayCommand runs `engine replay` with the arguments.
func runReplayCommand(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, errOut bytes.Buffer
	cmd := newRootCommand() //nolint:contextcheck // ExecuteContext passes it on
	cmd.SetArgs(append([]string{"replay"}, args...))
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	err = cmd.ExecuteContext(ctx)
	return out.String(), errOut.String(), err
}

func TestReplayPrintsOneJSONObjectAlone(t *testing.T) {
	stdout, stderr, err := runReplayCommand(t.Context(), "--json", smallTrace)
	if err != nil {
		t.Fatal(err)
	}
	if stderr != "" {
		t.Errorf("stderr, which is no terminal, got %q", stderr)
	}
	var report map[string]any
	decoder := json.NewDecoder(strings.NewReader(stdout))
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	if decoder.More() {
		t.Errorf("there is more than one object in %q", stdout)
	}
	for key, want := range map[string]float64{
		"messages": 5, "conversations": 3, "generations": 4, "expired": 2, "alive": 2,
		"refused": 0, "false_expiries": 0, "missed_expiries": 0, "lateness_p99_seconds": 0,
	} {
		if got, ok := report[key].(float64); !ok || got != want {
			t.Errorf("%s: got %v, want %v", key, report[key], want)
		}
	}
	for _, key := range []string{"proposals_per_second", "elapsed_seconds"} {
		if got, ok := report[key].(float64); !ok || got <= 0 {
			t.Errorf("%s: got %v, want a positive number", key, report[key])
		}
	}
}

func TestReplayTellsAPersonTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	stdout, _, err := runReplayCommand(t.Context(), "--expire-after", "720h", "--data", dir, smallTrace)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(stdout) {
		words = append(words, strings.Join(strings.Fields(line), " "))
	}
	for _, want := range []string{"messages 5 over 30 days", "generations 4", "expired 2 deleted by the reaper", "alive 2 when the last message was sent"} {
		if !slices.Contains(words, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		t.Errorf("the store was not left in --data: %v, error %v", entries, err)
	}
}

func TestReplayNamesWhatItCannotTake(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letters"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no file":        {nil, "replay takes one trace FILE, got 0 arguments"},
		"two files":      {[]string{"a", "b"}, "replay takes one trace FILE, got 2 arguments"},
		"unknown flag":   {[]string{"--speed", "2", smallTrace}, "unknown flag: --speed"},
		"no retention":   {[]string{"--expire-after", "0", smallTrace}, "--expire-after: must be positive, is 0s"},
		"fine retention": {[]string{"--expire-after", "1500ns", smallTrace}, "expire-after: must be positive and a whole number of microseconds"},
		"missing file":   {[]string{filepath.Join(full, "none.csv")}, filepath.Join(full, "none.csv")},
		"malformed row":  {[]string{malformedTrace}, malformedTrace + `:3:3: seq: expected a number from 1, got "x"`},
		"malformed, JSON": {
			[]string{"--json", malformedTrace}, malformedTrace + `:3:3: seq: expected a number from 1, got "x"`,
		},
		"full directory": {[]string{"--data", full, smallTrace}, full + " is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := runReplayCommand(t.Context(), test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if stdout != "" || stderr != "" {
				t.Errorf("printed all the same: %s%s", stdout, stderr)
			}
		})
	}
}

func TestReplayFailsWithTheFirstDifference(t *testing.T) {
	const first = "1970-01-01T00:01:50Z: trace:1: generation 1 of the trace ends and the engine did not delete it"
	report := &replay.Report{Trace: "trace.csv", Messages: 2, MissedExpiries: 1, FirstDifference: first}
	for name, jsonOnly := range map[string]bool{"table": false, "JSON": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := printReport(&out, report, jsonOnly)
			if _, ok := errors.AsType[*replay.MismatchError](err); !ok || !strings.Contains(err.Error(), first) {
				t.Errorf("got error %v, want a mismatch that names %q", err, first)
			}
			if !strings.Contains(out.String(), first) {
				t.Errorf("the difference is not in the report:\n%s", out.String())
			}
		})
	}
}

func TestAnInterruptedReplaySaysSo(t *testing.T) {
	for name, cause := range map[string]error{"cancelled": nil, "by a signal": errors.New("signal: interrupt")} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			stdout, _, err := runReplayCommand(ctx, "--json", smallTrace)
			if err == nil || !strings.HasPrefix(err.Error(), "replay: interrupted after") {
				t.Errorf("got error %v, want one that says that the replay was interrupted", err)
			}
			if stdout != "" {
				t.Errorf("there is a report all the same: %s", stdout)
			}
		})
	}
}
