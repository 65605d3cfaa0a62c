// Package config reads what `engine serve` is told: a YAML file, the environment and the flags, each of which goes before the one named first.
//
// What has a flag (--drain-timeout) stands in the file with underscores (drain_timeout), and in the environment in capitals behind PARLEY_ (PARLEY_DRAIN_TIMEOUT). Policies stand in
// the file alone, but for the default one's expire_after. What is not known is refused by its name, wherever it stands, with the name that was probably meant.
//
// A time is one that Go reads (720h, 1h30m, 500ms), or has days before that: 30d, 1d12h. A day has 24 hours.
package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Config is what `engine serve` is told.
// Where a number of the engine's or the store's is 0, it stands for a default: see [actors.Config], [actors.ReaperConfig] and [badgerstore.Options].
type Config struct {
	Data         string        `koanf:"data"`
	Listen       string        `koanf:"listen"`
	NoSync       bool          `koanf:"no_sync"`
	DrainTimeout time.Duration `koanf:"drain_timeout"`
	LogFormat    string        `koanf:"log_format"`
	LogLevel     string        `koanf:"log_level"`

	MetricsListen string        `koanf:"metrics_listen"` // "": where Listen is; "off": nowhere
	CensusEvery   time.Duration `koanf:"census_every"`
	SlowRead      time.Duration `koanf:"slow_read"`
	SlowPropose   time.Duration `koanf:"slow_propose"`

	// Default is the policy of namespaces that are not named. Its expire_after has a flag.
	Default Policy `koanf:"default"`
	// Namespaces holds policies by namespace. What one leaves out is as in Default.
	Namespaces map[string]Policy `koanf:"-"`

	Workers              int           `koanf:"workers"`
	Loaders              int           `koanf:"loaders"`
	Readers              int           `koanf:"readers"`
	ReadShare            float64       `koanf:"read_share"`
	MaxActive            int           `koanf:"max_active"`
	MaxPackedBytes       int           `koanf:"max_packed_bytes"`
	MemoryLimit          int64         `koanf:"memory_limit"`
	IdleAfter            time.Duration `koanf:"idle_after"`
	MaxQueue             int           `koanf:"max_queue"`
	MaxQueuedBytes       int           `koanf:"max_queued_bytes"`
	FlushInterval        time.Duration `koanf:"flush_interval"`
	MaxFlushInterval     time.Duration `koanf:"max_flush_interval"`
	FlushRows            int           `koanf:"flush_rows"`
	MaxJournalBytes      int           `koanf:"max_journal_bytes"`
	EventsFor            time.Duration `koanf:"events_for"`
	WatchBuffer          int           `koanf:"watch_buffer"`
	SyncHorizon          time.Duration `koanf:"sync_horizon"`
	BadgeConversations   int           `koanf:"badge_conversations"`
	MaxForgetting        int           `koanf:"max_forgetting"`
	MaxFailures          int           `koanf:"max_failures"`
	QuarantineFor        time.Duration `koanf:"quarantine_for"`
	ReapBatchRows        int           `koanf:"reap_batch_rows"`
	ReapBatchDelay       time.Duration `koanf:"reap_batch_delay"`
	ReapMinRowsPerSecond int           `koanf:"reap_min_rows_per_second"`
	ReapMaxRowsPerSecond int           `koanf:"reap_max_rows_per_second"`
	ReapMaxLateness      time.Duration `koanf:"reap_max_lateness"`
	ReapMaxPending       int           `koanf:"reap_max_pending"`
	// Of the store: see [badgerstore.Options].
	RowCacheBytes int   `koanf:"row_cache_bytes"`
	ReserveBytes  int64 `koanf:"reserve_bytes"`
}

// Policy is a namespace's policy as the file has it: see [conversation.Policy].
type Policy struct {
	ExpireAfter    time.Duration `koanf:"expire_after"`
	ExpireIdle     time.Duration `koanf:"expire_idle"`
	ExpireAge      time.Duration `koanf:"expire_age"`
	ExpireJitter   time.Duration `koanf:"expire_jitter"`
	KeepPinned     bool          `koanf:"keep_pinned"`
	KeepUnread     bool          `koanf:"keep_unread"`
	KeepUnreadUpTo uint64        `koanf:"keep_unread_up_to"`
	TombstoneFor   time.Duration `koanf:"tombstone_for"`
	NewGeneration  string        `koanf:"new_generation"` // "open", or "members_required"
	MaxMembers     uint64        `koanf:"max_members"`
	MaxPreview     uint64        `koanf:"max_preview"`
	MaxSeqJump     uint64        `koanf:"max_seq_jump"`
	ReceiptsUpTo   uint64        `koanf:"receipts_up_to"`
}

// What new_generation may be.
const (
	generationOpen    = "open"
	generationMembers = "members_required"
)

func (p Policy) policy() (conversation.Policy, error) {
	policy := conversation.Policy{
		ExpireAfter: p.ExpireAfter, ExpireIdle: p.ExpireIdle, ExpireAge: p.ExpireAge, ExpireJitter: p.ExpireJitter, KeepPinned: p.KeepPinned,
		KeepUnread: p.KeepUnread, KeepUnreadUpTo: p.KeepUnreadUpTo, TombstoneFor: p.TombstoneFor, MaxMembers: p.MaxMembers, MaxPreview: p.MaxPreview,
		RequireMembers: p.NewGeneration == generationMembers, MaxSeqJump: p.MaxSeqJump, ReceiptsUpTo: p.ReceiptsUpTo,
	}
	switch p.NewGeneration {
	case "", generationOpen, generationMembers:
	default:
		return policy, fmt.Errorf("new_generation: must be %s or %s, is %q", generationOpen, generationMembers, p.NewGeneration)
	}
	if err := policy.Validate(); err != nil {
		return policy, errors.New(inFile(err.Error()))
	}
	return policy, nil
}

var setting = regexp.MustCompile(`(^|[\n:] ?)(Reaper\.)?((?:[A-Z][a-z]+)+):`)

// inFile turns the names of the engine's settings into those of the file.
func inFile(fault string) string {
	return setting.ReplaceAllStringFunc(fault, func(name string) string {
		parts := setting.FindStringSubmatch(name)
		snake := strings.ToLower(capital.ReplaceAllString(parts[3], "_$0"))
		if parts[2] == "" {
			snake = strings.TrimPrefix(snake, "_")
		} else {
			snake = "reap" + snake
		}
		return parts[1] + snake + ":"
	})
}

var capital = regexp.MustCompile(`[A-Z]`)

// Engine returns what the engine is told, and everything that is wrong with it, joined.
func (c *Config) Engine() (actors.Config, error) {
	var faults []error
	engine := actors.Config{
		Namespaces: map[string]conversation.Policy{},
		Workers:    c.Workers, Loaders: c.Loaders, Readers: c.Readers, ReadShare: c.ReadShare, MaxForgetting: c.MaxForgetting, MaxActive: c.MaxActive, IdleAfter: c.IdleAfter, MaxQueue: c.MaxQueue, MaxQueuedBytes: c.MaxQueuedBytes,
		MaxPackedBytes: c.MaxPackedBytes, MemoryLimit: c.MemoryLimit, CensusEvery: c.CensusEvery, FlushInterval: c.FlushInterval, MaxFlushInterval: c.MaxFlushInterval, FlushRows: c.FlushRows, MaxJournalBytes: c.MaxJournalBytes, EventsFor: c.EventsFor, WatchBuffer: c.WatchBuffer,
		SyncHorizon: c.SyncHorizon, BadgeConversations: c.BadgeConversations, MaxFailures: c.MaxFailures, QuarantineFor: c.QuarantineFor,
		Reaper: actors.ReaperConfig{
			BatchRows: c.ReapBatchRows, BatchDelay: c.ReapBatchDelay, MinRowsPerSecond: c.ReapMinRowsPerSecond, MaxRowsPerSecond: c.ReapMaxRowsPerSecond,
			MaxLateness: c.ReapMaxLateness, MaxPending: c.ReapMaxPending,
		},
	}
	var err error
	if engine.Default, err = c.Default.policy(); err != nil {
		faults = append(faults, fmt.Errorf("default: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Namespaces)) {
		if engine.Namespaces[name], err = c.Namespaces[name].policy(); err != nil {
			faults = append(faults, fmt.Errorf("namespaces: %s: %w", name, err))
		}
	}
	if len(faults) == 0 {
		if err := engine.Validate(); err != nil {
			faults = append(faults, errors.New(inFile(err.Error())))
		}
	}
	return engine, errors.Join(faults...)
}
