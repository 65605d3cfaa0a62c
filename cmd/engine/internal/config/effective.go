package config

import (
	"cmp"
	"errors"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"

	"github.com/parley-im/parley/persistence/badgerstore"
)

// YAML returns the settings as a file would have them that says all, each default with what it stands for. The error is that of [Config.Engine].
func (c *Config) YAML() ([]byte, error) {
	engine, err := c.Engine()
	if err != nil {
		return nil, err
	}
	e := engine.Effective()
	all := *c
	all.Workers, all.Loaders, all.Readers, all.MaxActive, all.IdleAfter, all.MaxQueue = e.Workers, e.Loaders, e.Readers, e.MaxActive, e.IdleAfter, e.MaxQueue
	all.MaxQueuedBytes = e.MaxQueuedBytes
	all.FlushInterval, all.MaxFlushInterval = e.FlushInterval, e.MaxFlushInterval
	all.FlushRows, all.MaxJournalBytes = e.FlushRows, e.MaxJournalBytes
	all.EventsFor, all.WatchBuffer, all.SyncHorizon, all.BadgeConversations = e.EventsFor, e.WatchBuffer, e.SyncHorizon, e.BadgeConversations
	all.ReadShare, all.MaxForgetting = e.ReadShare, e.MaxForgetting
	all.MaxFailures, all.QuarantineFor = e.MaxFailures, e.QuarantineFor
	all.ReapBatchRows, all.ReapBatchDelay = e.Reaper.BatchRows, e.Reaper.BatchDelay
	all.ReapMinRowsPerSecond, all.ReapMaxRowsPerSecond, all.ReapMaxLateness = e.Reaper.MinRowsPerSecond, e.Reaper.MaxRowsPerSecond, e.Reaper.MaxLateness
	all.ReapMaxPending = e.Reaper.MaxPending
	all.RowCacheBytes = cmp.Or(c.RowCacheBytes, badgerstore.DefaultRowCache)
	all.ReserveBytes = cmp.Or(c.ReserveBytes, badgerstore.DefaultReserve)
	settings, err := mapped(all)
	if err != nil {
		return nil, err
	}
	namespaces := map[string]any{}
	var faults []error
	policy := func(p Policy) map[string]any {
		said, err := p.policy()
		full := said.Effective()
		p.KeepUnreadUpTo, p.MaxPreview, p.MaxSeqJump = full.KeepUnreadUpTo, full.MaxPreview, full.MaxSeqJump
		p.TombstoneFor, p.NewGeneration = cmp.Or(p.TombstoneFor, e.EventsFor), cmp.Or(p.NewGeneration, generationOpen)
		policy, mapping := mapped(p)
		faults = append(faults, err, mapping)
		return policy
	}
	settings["default"] = policy(c.Default)
	for name, p := range c.Namespaces {
		namespaces[name] = policy(p)
	}
	settings[keyNamespaces] = namespaces
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return yaml.Parser().Marshal(settings)
}

// mapped returns a struct's settings by their names in the file, times as they are written there.
func mapped(of any) (map[string]any, error) {
	settings := map[string]any{}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: &settings, TagName: "koanf"})
	if err == nil {
		err = decoder.Decode(of)
	}
	for name, value := range settings {
		if d, ok := value.(time.Duration); ok {
			settings[name] = d.String()
		}
	}
	return settings, err
}
