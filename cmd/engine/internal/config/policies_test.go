package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

func TestATimeMayHaveDaysBeforeTheRest(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "-1d": -24 * time.Hour, "720h": 720 * time.Hour, "1d0.5s": 24*time.Hour + 500*time.Millisecond,
	} {
		if got, err := Duration(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "1.5d", "1d-1h", "1d+1h", "12h1d", "1dd", "30", "106752d", "999999999999999999999d", "soon"} {
		if got, err := Duration(text); err == nil || !strings.Contains(err.Error(), "30d") {
			t.Errorf("%q is taken for %v (%v)", text, got, err)
		}
	}
}

func TestEverySettingOfTheFileReachesTheEngine(t *testing.T) {
	path := write(t, `
workers: 3
loaders: 4
readers: 5
max_active: 6
idle_after: 7s
max_queue: 8
max_queued_bytes: 33
flush_interval: 9ms
flush_rows: 10
max_flush_interval: 11ms
max_journal_bytes: 11
events_for: 12d
watch_buffer: 13
sync_horizon: 14d
badge_conversations: 15
max_failures: 16
quarantine_for: 17s
reap_batch_rows: 18
reap_batch_delay: 19ms
reap_min_rows_per_second: 20
reap_max_rows_per_second: 21
reap_max_lateness: 22ms
reap_max_pending: 23
read_share: 0.5
max_forgetting: 30
memory_limit: 31
max_packed_bytes: 32
row_cache_bytes: 22
reserve_bytes: 23
default:
  keep_unread: true
  keep_unread_up_to: 24
  tombstone_for: 25d
  max_members: 26
  max_preview: 27
  max_seq_jump: 28
  receipts_up_to: 29
`)
	c, err := Load(path, nil, flags(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Engine()
	if err != nil {
		t.Fatal(err)
	}
	const days = 24 * time.Hour
	want := actors.Config{
		Default: conversation.Policy{
			KeepUnread: true, KeepUnreadUpTo: 24, TombstoneFor: 25 * days, MaxMembers: 26, MaxPreview: 27, MaxSeqJump: 28, ReceiptsUpTo: 29,
		},
		Namespaces: map[string]conversation.Policy{},
		Workers:    3, Loaders: 4, Readers: 5, MaxActive: 6, MemoryLimit: 31, MaxPackedBytes: 32, IdleAfter: 7 * time.Second, MaxQueue: 8, MaxQueuedBytes: 33, FlushInterval: 9 * time.Millisecond, MaxFlushInterval: 11 * time.Millisecond, FlushRows: 10,
		MaxJournalBytes: 11, EventsFor: 12 * days, WatchBuffer: 13, SyncHorizon: 14 * days, BadgeConversations: 15, ReadShare: 0.5, MaxForgetting: 30, MaxFailures: 16, QuarantineFor: 17 * time.Second,
		Reaper: actors.ReaperConfig{BatchRows: 18, BatchDelay: 19 * time.Millisecond, MinRowsPerSecond: 20, MaxRowsPerSecond: 21, MaxLateness: 22 * time.Millisecond, MaxPending: 23},
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".trap" }, cmp.Ignore())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.RowCacheBytes != 22 || c.ReserveBytes != 23 {
		t.Errorf("the store's settings are %d and %d", c.RowCacheBytes, c.ReserveBytes)
	}
}

func TestAFaultOfTheEnginesIsNamedAsTheFileNamesIt(t *testing.T) {
	for text, want := range map[string]string{
		"events_for: -1s": "events_for", "reap_batch_rows: -1": "reap_batch_rows", "max_journal_bytes: -1": "max_journal_bytes",
		"default: {tombstone_for: 1us}": "tombstone_for", "namespaces: {a: {max_preview: 513}}": "a: max_preview",
	} {
		c, err := Load(write(t, text), nil, flags(t))
		if err == nil {
			_, err = c.Engine()
		}
		if err == nil || !strings.Contains(err.Error(), want+": must") {
			t.Errorf("%s: %v, want that %s must be otherwise", text, err, want)
		}
	}
}

func TestAnUnknownNameIsRefusedWithTheOneThatWasMeant(t *testing.T) {
	for text, want := range map[string]string{
		"lisen: x":                         "mean listen?",
		"namespace: {}":                    "mean namespaces?",
		"default: {keep_unred: true}":      "default: keep_unred: there is no such setting; did you mean keep_unread?",
		"namespaces: {a: {tombstones: 1}}": "namespaces: a: tombstones: there is no such setting",
		"expire_after: 1h":                 "expire_after: there is no such setting",
		"zzzzzz: 1":                        "zzzzzz: there is no such setting",
	} {
		_, err := Load(write(t, text), nil, flags(t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if strings.HasPrefix(text, "zz") && strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: nothing comes near, and it says %v", text, err)
		}
	}
	if _, err := Load("", []string{"PARLEY_DRAIN_TIMOUT=1s"}, flags(t)); err == nil || !strings.Contains(err.Error(), "mean PARLEY_DRAIN_TIMEOUT?") {
		t.Errorf("the environment: %v", err)
	}
}

func TestWhatIsPrintedIsAFileThatSaysTheSame(t *testing.T) {
	c, err := Load(write(t, "default: {expire_after: 30d}\nnamespaces: {group: {keep_unread: true}, \"odd.name\": {expire_age: 1d}}\nmax_active: 7\n"), nil, flags(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(write(t, string(text)), nil, flags(t))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	once, err := again.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(once)); diff != "" {
		t.Errorf("(-printed +printed again):\n%s", diff)
	}
	if again.MaxActive != 7 || again.IdleAfter != 5*time.Minute || again.RowCacheBytes != 32<<20 || !again.Namespaces["group"].KeepUnread ||
		again.Namespaces["odd.name"].ExpireAge != 24*time.Hour || again.Default.TombstoneFor != 7*24*time.Hour || again.Default.NewGeneration != "open" {
		t.Errorf("it says %+v", again)
	}
}
