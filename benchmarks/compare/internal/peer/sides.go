package peer

import "github.com/parley-im/parley/benchmarks/compare/internal/side"

// Sides returns the sides that are not Parley's, by name.
func Sides() map[string]side.Opener {
	return map[string]side.Opener{
		"actor.sends":         OpenSends,
		"load.answered":       OpenAnswered,
		"stock.posts":         OpenStock,
		"stock.asks":          OpenStockAsks,
		"stock.idle":          OpenStockIdle,
		"stock.steady":        OpenStockSteady,
		"stock.stateful":      OpenStateful,
		"badger.batches":      OpenRawBatches,
		"badger.transactions": OpenRawTransactions,
		"badger.deletes":      OpenRawDeletes,
		"badger.ttl":          OpenTTL,
		"map.sharded":         OpenSharded,
		"otter.cache":         OpenCached,
		"redis.hashes":        OpenHashes,
	}
}
