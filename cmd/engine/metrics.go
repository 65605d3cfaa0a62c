package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors/prommetrics"
)

// metricsOff is what --metrics-listen says where metrics are not to be served.
const metricsOff = "off"

// metricsPath is where metrics are served.
const metricsPath = "GET /metrics"

// scrapesAtOnce bounds how many scrapes are answered at a time; more are refused.
const scrapesAtOnce = 4

// metrics is what is served to Prometheus: of the process from its start, of the engine from when there is one.
type metrics struct {
	registry *prometheus.Registry
	log      zerolog.Logger
}

func newMetrics(log zerolog.Logger) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), log: log}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// show adds an engine and its store.
func (m *metrics) show(engine prommetrics.Engine, store prommetrics.Store) error {
	return m.registry.Register(prommetrics.New(engine, store))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{m.log}, ErrorHandling: promhttp.ContinueOnError, EnableOpenMetrics: true, MaxRequestsInFlight: scrapesAtOnce,
	})
}

// scrapeLog passes on what went wrong with a scrape.
type scrapeLog struct{ log zerolog.Logger }

// Println implements [promhttp.Logger].
func (l scrapeLog) Println(v ...any) {
	l.log.Warn().Interface("reason", v).Msg("metrics could not be shown")
}
