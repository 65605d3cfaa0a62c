package load

import (
	"runtime/debug"
	"runtime/metrics"

	"github.com/parley-im/parley/benchmarks/internal/resident"
)

// ownVitals says how this process is. It stops nothing.
func ownVitals() Vitals {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(samples)
	var collector debug.GCStats
	debug.ReadGCStats(&collector)
	return Vitals{
		HeapBytes: samples[0].Value.Uint64(), Goroutines: samples[1].Value.Uint64(), RSSBytes: resident.Bytes(),
		GCCycles: uint64(max(0, collector.NumGC)), GCPauses: collector.PauseTotal,
	}
}
