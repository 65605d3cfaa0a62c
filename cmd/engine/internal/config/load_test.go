package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/parley-im/parley/actors/conversation"
)

// flags are those of `engine serve` as far as they matter here.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	f.String("config", "", "")
	f.String("listen", "127.0.0.1:7600", "")
	f.Duration("drain-timeout", 10*time.Second, "")
	f.Duration("expire-after", 0, "")
	f.Bool("no-sync", false, "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "engine.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsGoBeforeTheEnvironmentAndThatBeforeTheFile(t *testing.T) {
	path := write(t, "listen: file:1\ndrain_timeout: 1s\nno_sync: true\ndefault:\n  expire_after: 1h\n")
	tests := []struct {
		name string
		env  []string
		args []string
		want Config
	}{
		{"file", nil, nil, Config{Listen: "file:1", DrainTimeout: time.Second, NoSync: true, Default: Policy{ExpireAfter: time.Hour}}},
		{
			"environment",
			[]string{"PARLEY_LISTEN=env:1", "PARLEY_EXPIRE_AFTER=2h", "OTHER=1"},
			nil,
			Config{Listen: "env:1", DrainTimeout: time.Second, NoSync: true, Default: Policy{ExpireAfter: 2 * time.Hour}},
		},
		{
			"flags",
			[]string{"PARLEY_LISTEN=env:1", "PARLEY_NO_SYNC=true"},
			[]string{"--listen=flag:1", "--expire-after=3h", "--no-sync=false"},
			Config{Listen: "flag:1", DrainTimeout: time.Second, Default: Policy{ExpireAfter: 3 * time.Hour}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.Namespaces = map[string]Policy{}
			got, err := Load(path, test.env, flags(t, test.args...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutAFileTheFlagsDefaultsHold(t *testing.T) {
	got, err := Load("", nil, flags(t))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{Listen: "127.0.0.1:7600", DrainTimeout: 10 * time.Second, Namespaces: map[string]Policy{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANamespaceTakesWhatItLeavesOutFromTheDefault(t *testing.T) {
	path := write(t, `
default: {expire_after: 720h, keep_pinned: true}
namespaces:
  group: {expire_after: 24h, expire_jitter: 1h, new_generation: members_required}
  "odd.name": {keep_pinned: false, max_seq_jump: 10}
  plain: {}
`)
	c, err := Load(path, nil, flags(t))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := c.Engine()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]conversation.Policy{
		"group":    {ExpireAfter: 24 * time.Hour, ExpireJitter: time.Hour, KeepPinned: true, RequireMembers: true},
		"odd.name": {ExpireAfter: 720 * time.Hour, MaxSeqJump: 10},
		"plain":    {ExpireAfter: 720 * time.Hour, KeepPinned: true},
	}
	if diff := cmp.Diff(want, engine.Namespaces); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want["plain"], engine.Default); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
}

func TestFaultsNameWhatIsWrongAndWhere(t *testing.T) {
	tests := []struct {
		name, text string
		env        []string
		want       []string
	}{
		{"an unknown key", "lisen: x", nil, []string{"engine.yaml", "lisen"}},
		{"an unknown key of a namespace", "namespaces: {group: {expire_afer: 1h}}", nil, []string{"namespaces", "group", "expire_afer"}},
		{"a namespace that is no mapping", "namespaces: {group: 720h}", nil, []string{"namespaces", "group"}},
		{"namespaces that are no mapping", "namespaces: [group]", nil, []string{"namespaces", "mapping"}},
		{"a time that is none", "drain_timeout: soon", nil, []string{"engine.yaml", "drain_timeout", "duration"}},
		{"a number that is none", "namespaces: {group: {max_seq_jump: many}}", nil, []string{"group", "max_seq_jump"}},
		{"what is not YAML", "listen: [", nil, []string{"engine.yaml", "YAML"}},
		{"an unknown variable", "", []string{"PARLEY_LISEN=x"}, []string{"PARLEY_LISEN"}},
		{"a bad value", "namespaces: {group: {expire_after: -1h}}", nil, []string{"namespaces", "group", "expire_after"}},
		{"an unknown word", "default: {new_generation: shut}", nil, []string{"default", "new_generation", "members_required", "shut"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Load(write(t, test.text), test.env, flags(t))
			if err == nil {
				_, err = c.Engine()
			}
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil, flags(t)); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
}
