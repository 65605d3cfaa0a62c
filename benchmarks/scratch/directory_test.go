package scratch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/scratch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestATemporaryDirectoryIsRemoved(t *testing.T) {
	dir, remove, err := scratch.Open("", "walk")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows"), nil, 0o600); err != nil {
		t.Error(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestANamedDirectoryIsLeftBehind(t *testing.T) {
	for name, want := range map[string]string{"empty": t.TempDir(), "none yet": filepath.Join(t.TempDir(), "new")} {
		dir, remove, err := scratch.Open(want, "walk")
		if err != nil || dir != want {
			t.Errorf("%s: got %q, error %v", name, dir, err)
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s: it was removed: %v", name, err)
		}
	}
}

func TestADirectoryThatHoldsSomethingIsRefused(t *testing.T) {
	dir := t.TempDir()
	letters := filepath.Join(dir, "letters")
	if err := os.WriteFile(letters, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, letters} {
		if _, _, err := scratch.Open(path, "walk"); err == nil || !strings.HasPrefix(err.Error(), "walk: data directory") || !strings.Contains(err.Error(), path) {
			t.Errorf("got error %v, want one that names %s", err, path)
		}
	}
}
