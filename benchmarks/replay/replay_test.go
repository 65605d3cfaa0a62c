package replay_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/benchmarks/replay"
	"github.com/parley-im/parley/benchmarks/trace"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const slice = "../testdata/chat-every-20th.csv.gz"

func TestTheEngineAgreesWithSixYearsOfChat(t *testing.T) {
	wanted := []replay.Report{
		{ExpireAfter: "720h0m0s", Messages: 29086, Conversations: 1601, Generations: 1753, Expired: 1707, Alive: 46},
		{ExpireAfter: "168h0m0s", Messages: 29086, Conversations: 1601, Generations: 1905, Expired: 1892, Alive: 13},
	}
	if racing.Enabled {
		wanted = wanted[:1]
	}
	for _, want := range wanted {
		t.Run(want.ExpireAfter, func(t *testing.T) {
			t.Parallel()
			expireAfter, err := time.ParseDuration(want.ExpireAfter)
			if err != nil {
				t.Fatal(err)
			}
			report, err := replay.Run(t.Context(), slice, replay.Config{ExpireAfter: expireAfter, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Err(); err != nil {
				t.Error(err)
			}
			want.Trace = slice
			measured := cmpopts.IgnoreFields(replay.Report{}, "VirtualSeconds", "ProposalsPerSecond", "ElapsedSeconds",
				"Retried", "Activations", "Flushes", "RowsWritten", "RowsDeleted", "MaxRSSBytes")
			if diff := cmp.Diff(&want, report, measured); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			// Each generation has at least a head, a tail, and two rows for its first sender.
			if least := uint64(4 * want.Expired); report.RowsDeleted < least {
				t.Errorf("%d rows deleted, want at least %d", report.RowsDeleted, least)
			}
			// Most conversations wait for longer than they stay in memory.
			if report.Activations <= uint64(report.Generations) {
				t.Errorf("%d activations for %d generations: nothing ever left memory", report.Activations, report.Generations)
			}
		})
	}
}

func TestAReplayLeavesAStoreThatOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := replay.Run(t.Context(), written(t, "100,1,1,1,0,", "200,2,1,1,0,"), replay.Config{ExpireAfter: time.Minute, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestATemporaryStoreIsRemoved(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if os.TempDir() != temp {
		t.Skip("the system takes its temporary directory from elsewhere")
	}
	if _, err := replay.Run(t.Context(), written(t, "100,1,1,1,0,"), replay.Config{}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestADirectoryThatHoldsAnythingIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letters"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := written(t, "100,1,1,1,0,")
	for name, test := range map[string]struct{ dir, want string }{
		"not empty": {dir, "is not empty"},
		"a file":    {filepath.Join(dir, "letters"), "data directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := replay.Run(t.Context(), path, replay.Config{Dir: test.dir})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.dir) {
				t.Errorf("got error %v, want one that names %s and says %q", err, test.dir, test.want)
			}
		})
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the directory was touched: %v, error %v", left, err)
	}
}

func TestATraceThatCannotBeReplayedIsAnError(t *testing.T) {
	for name, test := range map[string]struct {
		rows []string
		want string
	}{
		"no messages":         {nil, ":2:1: expected a message, got the end of the file"},
		"malformed first row": {[]string{"100,1,2,1,0,"}, ":2:3: seq: expected 1, the next of conversation 1, got 2"},
		"malformed later row": {[]string{"100,1,1,1,0,", "100,1,2,1,-,"}, `:3:5: bytes: expected a number from 0 to 4294967295, got "-"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, test.rows...)
			_, err := replay.Run(t.Context(), path, replay.Config{})
			if _, ok := errors.AsType[*trace.Error](err); !ok || err.Error() != path+test.want {
				t.Errorf("got error %v, want %s%s", err, path, test.want)
			}
		})
	}
}

func TestACancelledRunCleansUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	_, err := replay.Run(ctx, slice, replay.Config{Dir: dir, Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want %v", err, context.Canceled)
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		t.Fatalf("the store was not closed: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestAReportFitsATerminal(t *testing.T) {
	report := replay.Report{
		Trace: "chat-2018-2023.csv.gz", ExpireAfter: "720h0m0s", Messages: 613_106_000, Conversations: 32_027_000, Generations: 35_678_000,
		Expired: 34_743_000, Alive: 935_000, VirtualSeconds: 184_406_179, ProposalsPerSecond: 1_234_567.8, ElapsedSeconds: 1234.56, MaxRSSBytes: 600 << 20,
		LatenessP99Seconds: 12.345678, LatenessMaxSeconds: 23.456789,
	}
	var b strings.Builder
	if err := report.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"613,106,000", "34,743,000", "935,000", "600 MiB", "as the trace says"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in the report:\n%s", want, b.String())
		}
	}
}

// written writes a trace of the given lines to a file.
func written(t *testing.T, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	text := strings.Join(append([]string{trace.Header}, rows...), "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
