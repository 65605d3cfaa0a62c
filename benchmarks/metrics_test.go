package benchmarks_test

import (
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/prommetrics"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// BenchmarkMetrics holds proposing beside a scraper that asks far more often than any does, and with an observer of every proposal, against proposing with neither: three engines of one process in turn, so that all
// have the same machine. scraped/plain and observed/plain are how many times as long a proposal takes.
func BenchmarkMetrics(b *testing.B) {
	const callers = 4
	type contender struct {
		engine   *actors.Engine
		speakers []*speaker
		took     time.Duration
	}
	contend := func(config actors.Config) *contender {
		c := &contender{engine: startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{NoSync: true}), config)}
		for i := range callers {
			c.speakers = append(c.speakers, newSpeaker(i, callers))
		}
		return c
	}
	var sum time.Duration
	var mu sync.Mutex
	plain, scraped := contend(actors.Config{}), contend(actors.Config{})
	observed := contend(actors.Config{Observer: &actors.Observer{Proposed: func(i actors.ProposedInfo) {
		mu.Lock()
		sum += i.Queue + i.Apply
		mu.Unlock()
	}}})
	registry := prometheus.NewRegistry()
	registry.MustRegister(prommetrics.New(scraped.engine, nil))
	round := func(c *contender) {
		began := time.Now()
		var group sync.WaitGroup
		for _, s := range c.speakers {
			group.Go(func() {
				for range roundOf / callers / batchSize / 4 {
					if _, err := c.engine.ProposeBatch(b.Context(), s.next(batchSize)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		c.took += time.Since(began)
	}
	scrapes := 0
	scraping := func() (stop func()) {
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			ticker := time.NewTicker(100 * time.Millisecond)
			defer ticker.Stop()
			for {
				if _, err := registry.Gather(); err != nil {
					b.Error(err)
				}
				scrapes++
				select {
				case <-ticker.C:
				case <-done:
					return
				}
			}
		}()
		return func() { close(done); <-ended }
	}
	for b.Loop() {
		round(plain)
		stop := scraping()
		round(scraped)
		stop()
		round(observed)
	}
	b.ReportMetric(scraped.took.Seconds()/plain.took.Seconds(), "scraped/plain")
	b.ReportMetric(observed.took.Seconds()/plain.took.Seconds(), "observed/plain")
	b.ReportMetric(float64(scrapes)/float64(b.N), "scrapes/op")
}
