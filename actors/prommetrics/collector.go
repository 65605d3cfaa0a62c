// Package prommetrics shows an engine to Prometheus.
//
// What it shows is what [actors.Engine.Stats] returns, read anew for each scrape: the engine counts as it goes, whether anybody looks or not, and a collector costs it
// nothing between two scrapes. docs/metrics.md has every metric, what to ask them and what to be woken by. No label has a conversation, a user or anything else of which there may be many.
package prommetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
)

// Engine is what a collector asks of an engine; [actors.Engine] is one.
type Engine interface{ Stats() actors.Stats }

// Store is what a collector asks of a store for what the engine does not see; badgerstore.Store is one.
type Store interface {
	// Disk says what the store takes of its disk. An error leaves those metrics out of the scrape.
	Space() (persistence.Space, error)
}

// Collector is a [prometheus.Collector] of one engine. Register it; of several engines in one process, each with labels of its own, by [prometheus.WrapRegistererWith].
//
// It may be scraped at any time, several times at once, also after the engine has stopped and its store was closed. A scrape looks at every conversation in memory, which takes a few milliseconds for a hundred
// thousand of them, and blocks nothing meanwhile but, for an instant, each of them.
type Collector struct {
	engine Engine
	store  Store // nil: there is none to ask
}

var _ prometheus.Collector = (*Collector)(nil)

// New returns a collector of an engine. store may be nil: then there are no metrics of the disk.
func New(engine Engine, store Store) *Collector { return &Collector{engine: engine, store: store} }

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range engineMetrics() {
		descs <- m.desc
	}
	if c.store != nil {
		for _, m := range diskMetrics() {
			descs <- m.desc
		}
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.engine.Stats()
	for _, m := range engineMetrics() {
		m.collect(&stats, metrics)
	}
	if c.store == nil {
		return
	}
	disk, err := c.store.Space()
	if err != nil {
		return
	}
	for _, m := range diskMetrics() {
		m.collect(&disk, metrics)
	}
}

// engineMetrics returns what there is of an engine, in the order in which docs/metrics.md has it.
func engineMetrics() (all []metric[actors.Stats]) {
	all = append(all, proposalMetrics()...)
	all = append(all, conversationMetrics()...)
	all = append(all, journalMetrics()...)
	all = append(all, reaperMetrics()...)
	all = append(all, readMetrics()...)
	all = append(all, watchMetrics()...)
	return append(all, storeMetrics()...)
}
