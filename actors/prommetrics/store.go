package prommetrics

import (
	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/histogram"
	"github.com/parley-im/parley/persistence"
)

func storeMetrics() []metric[actors.Stats] {
	kinds := func(value func(actors.CensusOfKind) uint64) values[actors.Stats, float64] {
		return func(s *actors.Stats, yield func(float64, ...string)) {
			for kind, of := range s.Store.Census.Kinds {
				yield(float64(value(of)), kind.String())
			}
		}
	}
	counted := func(value func(*actors.Census) float64) values[actors.Stats, float64] {
		return func(s *actors.Stats, yield func(float64, ...string)) {
			if !s.Store.Census.At.IsZero() {
				yield(value(&s.Store.Census))
			}
		}
	}
	return []metric[actors.Stats]{
		histograms("store_commit_seconds", "How long commits took until the store answered, those that failed too.", []string{"by"},
			func(s *actors.Stats, yield func(*histogram.Histogram, ...string)) {
				yield(&s.Store.JournalCommits, "journal")
				yield(&s.Store.ReaperCommits, "reaper")
			}),
		gauges("store_rows", "Rows of each kind, as of the last census.", []string{"kind"}, kinds(func(k actors.CensusOfKind) uint64 { return k.Rows })),
		gauges("store_row_bytes", "Keys and values of those, as they were written: what they take on disk is another matter.", []string{"kind"},
			kinds(func(k actors.CensusOfKind) uint64 { return k.Bytes })),
		gauges("store_census_age_seconds", "How long ago the last census was completed.", nil, counted(func(c *actors.Census) float64 { return seconds(c.Age) })),
		gauges("store_census_duration_seconds", "How long it took.", nil, counted(func(c *actors.Census) float64 { return seconds(c.Took) })),
	}
}

func diskMetrics() []metric[persistence.Space] {
	return []metric[persistence.Space]{
		gauge("store_lsm_bytes", "What the sorted tables of rows take on disk.", func(d *persistence.Space) float64 { return float64(d.Tables) }),
		gauge("store_lsm_stale_bytes", "Among that, what rewriting them would give back, as far as the store knows.",
			func(d *persistence.Space) float64 { return float64(d.Stale) }),
		gauge("store_log_bytes", "What the logs of the latest rows take.", func(d *persistence.Space) float64 { return float64(d.Logs) }),
		gauge("store_value_log_bytes", "What the value log takes, which nothing is written to.", func(d *persistence.Space) float64 { return float64(d.ValueLog) }),
		counter("store_reclaimed_bytes_total", "What maintenance has given back.", func(d *persistence.Space) float64 { return float64(d.Given) }),
		gauge("store_free_bytes", "Free space on the store's disk.", func(d *persistence.Space) float64 { return float64(d.Free) }),
		gauge("store_reserve_bytes", "Free space below which proposals are refused.", func(d *persistence.Space) float64 { return float64(d.Reserve) }),
	}
}
