package actors

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/persistence"
)

// residency bounds what is in memory of conversations. Where the process has a memory limit, it is a chore that looks how near that is, and has shards let conversations go.
type residency struct {
	*chore

	squeeze  squeeze
	perShard atomic.Int64 // conversations that may be active
	used     atomic.Uint64
	limit    atomic.Uint64
	packing  atomic.Int64 // bytes of a shard in which conversations that are not active are packed
	evicted  atomic.Uint64
	unpacked atomic.Uint64
	read     func() memoryUse
}

// residencyEvery is how often it looks.
const residencyEvery = time.Second

func newResidency(e *Engine) *residency {
	r := &residency{squeeze: squeeze{share: 1}, read: e.trap.memory}
	r.chore = newChore(e, r.look)
	if r.read == nil {
		r.read = func() memoryUse { return readMemory(e.config.MemoryLimit) }
	}
	r.set(1)
	return r
}

// bound is how many conversations of a shard may be active.
func (r *residency) bound(share float64) int64 {
	return max(1, int64(share*float64(r.engine.config.MaxActive/persistence.Shards)))
}

// set bounds what is in memory to a share of what may be there.
func (r *residency) set(share float64) {
	r.perShard.Store(r.bound(share))
	passive := int64(share * float64(max(0, r.engine.config.MaxPackedBytes)/persistence.Shards))
	r.packing.Store(passive + r.bound(share)*restRoom + leastPackedPart)
}

// restRoom is about how many bytes an active conversation takes that lies packed, with what its shard's log takes to be kept in order.
const restRoom = 512

// packedRoom is how many bytes a shard may pack conversations in, active ones among them.
func (r *residency) packedRoom() int { return int(r.packing.Load()) }

// start has it look, where there is a limit.
func (r *residency) start() {
	if r.engine.config.MemoryLimit >= 0 && r.read().limit > 0 {
		r.arm(residencyEvery)
	}
}

func (r *residency) look() (rest time.Duration) {
	m := r.read()
	r.used.Store(m.used)
	r.limit.Store(m.limit)
	share := r.squeeze.share
	if r.squeeze.look(m) == share {
		return residencyEvery
	}
	before := r.perShard.Load()
	r.set(r.squeeze.share)
	now := r.perShard.Load()
	for _, s := range r.engine.shards {
		s.tell(&bounded{})
	}
	if r.engine.config.Observer.Bounded != nil {
		r.engine.config.Observer.Bounded(BoundedInfo{
			Before: int(before * persistence.Shards), Bound: int(now * persistence.Shards), Used: m.used, Limit: m.limit,
		})
	}
	return residencyEvery
}

// bounded has a shard look whether more conversations are active than may be. Residency → shard.
type bounded struct{}

// readMemory returns how much memory the process needs, and its limit: the one given or, where that is 0, the runtime's.
func readMemory(limit int64) memoryUse {
	if limit == 0 {
		limit = debug.SetMemoryLimit(-1)
	}
	if limit == math.MaxInt64 {
		return memoryUse{}
	}
	s := [...]metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(s[:])
	at := func(i int) uint64 { return s[i].Value.Uint64() }
	// Garbage does not count: a process whose collector is left to the limit is always near it.
	other := at(1) - at(2) - at(3) - at(4) - at(5)
	return memoryUse{used: at(0) + other, limit: uint64(limit), cycle: at(6)}
}
