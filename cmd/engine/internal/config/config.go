// Package config reads what `engine serve` is told: a YAML file, the environment and the flags, each of which goes before the one named first.
//
// What has a flag (--drain-timeout) stands in the file with underscores (drain_timeout), and in the environment in capitals behind PARLEY_ (PARLEY_DRAIN_TIMEOUT). Policies stand in
// the file alone, but for the default one's expire_after. What is not known is refused by its name, wherever it stands.
package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Config is what `engine serve` is told.
type Config struct {
	Data         string        `koanf:"data"`
	Listen       string        `koanf:"listen"`
	NoSync       bool          `koanf:"no_sync"`
	DrainTimeout time.Duration `koanf:"drain_timeout"`
	LogFormat    string        `koanf:"log_format"`
	LogLevel     string        `koanf:"log_level"`

	// Default is the policy of namespaces that are not named. Its expire_after has a flag.
	Default Policy `koanf:"default"`
	// Namespaces holds policies by namespace. What one leaves out is as in Default.
	Namespaces map[string]Policy `koanf:"-"`

	MaxActive          int           `koanf:"max_active"`
	IdleAfter          time.Duration `koanf:"idle_after"`
	KeepExpired        time.Duration `koanf:"keep_expired"`
	SyncHorizon        time.Duration `koanf:"sync_horizon"`
	BadgeConversations int           `koanf:"badge_conversations"`
	ReapRowsPerSecond  int           `koanf:"reap_rows_per_second"`
}

// Policy is a namespace's policy as the file has it: see [conversation.Policy].
type Policy struct {
	ExpireAfter   time.Duration `koanf:"expire_after"`
	ExpireIdle    time.Duration `koanf:"expire_idle"`
	ExpireAge     time.Duration `koanf:"expire_age"`
	ExpireJitter  time.Duration `koanf:"expire_jitter"`
	KeepPinned    bool          `koanf:"keep_pinned"`
	NewGeneration string        `koanf:"new_generation"` // "open", or "members_required"
	MaxSeqJump    uint64        `koanf:"max_seq_jump"`
	ReceiptsUpTo  uint64        `koanf:"receipts_up_to"`
}

// What new_generation may be.
const (
	generationOpen    = "open"
	generationMembers = "members_required"
)

func (p Policy) policy() (conversation.Policy, error) {
	policy := conversation.Policy{
		ExpireAfter: p.ExpireAfter, ExpireIdle: p.ExpireIdle, ExpireAge: p.ExpireAge, ExpireJitter: p.ExpireJitter, KeepPinned: p.KeepPinned,
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

// inFile turns the names of a policy's settings into those of the file.
func inFile(fault string) string {
	return strings.NewReplacer(
		"ExpireAfter:", "expire_after:", "ExpireIdle:", "expire_idle:", "ExpireAge:", "expire_age:", "ExpireJitter:", "expire_jitter:", "MaxSeqJump:", "max_seq_jump:",
	).Replace(fault)
}

// Engine returns what the engine is told, and everything that is wrong with it, joined.
func (c *Config) Engine() (actors.Config, error) {
	var faults []error
	engine := actors.Config{
		Namespaces: map[string]conversation.Policy{}, MaxActive: c.MaxActive, IdleAfter: c.IdleAfter, KeepExpired: c.KeepExpired,
		SyncHorizon: c.SyncHorizon, BadgeConversations: c.BadgeConversations, Reaper: actors.ReaperConfig{RowsPerSecond: c.ReapRowsPerSecond},
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
		faults = append(faults, engine.Validate())
	}
	return engine, errors.Join(faults...)
}
