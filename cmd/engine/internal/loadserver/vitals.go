package loadserver

import (
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/parley-im/parley/benchmarks/load"
)

// vitalsOf picks what a load shows out of a server's metrics. What is not there is 0.
func vitalsOf(families map[string]*dto.MetricFamily) load.Vitals {
	first := func(name string) *dto.Metric {
		if all := families[name].GetMetric(); len(all) > 0 {
			return all[0]
		}
		return nil
	}
	gauge := func(name string) uint64 { return uint64(max(0, first(name).GetGauge().GetValue())) }
	collector := first("go_gc_duration_seconds").GetSummary()
	return load.Vitals{
		HeapBytes:   gauge("go_memstats_heap_alloc_bytes"),
		RSSBytes:    gauge("process_resident_memory_bytes"),
		Goroutines:  gauge("go_goroutines"),
		GCCycles:    collector.GetSampleCount(),
		GCPauses:    time.Duration(collector.GetSampleSum() * float64(time.Second)),
		DeletedRows: uint64(max(0, first("parley_reaper_deleted_rows_total").GetCounter().GetValue())),
		Backlog:     gauge("parley_reaper_backlog"),
	}
}
