package badgerstore

import (
	"log/slog"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// DefaultReserve is how much free space a store leaves on its disk unless [Options] says otherwise, 320 MiB: what a compaction of level 0 may write before it deletes what it replaces, and
// the table that is made of a memtable meanwhile.
const DefaultReserve = (stalling+1)*memtable + baseLevel

// DefaultRowCache is how much memory a store keeps rows in unless [Options] says otherwise: about two hundred thousand of them.
const DefaultRowCache = 32 << 20

// What maintenance does unless [Options] says otherwise.
const (
	DefaultMaintainEvery = 30 * time.Second
	DefaultMaintainShare = 0.25
)

// stepReserve is the free space that a step of maintenance leaves. It is less than commits leave: maintenance is what makes space.
const stepReserve = 64 << 20

// Options sets a store up. The zero value runs: every commit is on disk when it returns.
type Options struct {
	// NoSync leaves it to the operating system when a commit, or what was logged, reaches the disk. Both then survive the end of the process, however it comes, but not
	// the machine's.
	NoSync bool
	// ReserveBytes is the free space below which commits are refused with ErrStoreFull: Badger needs room to reorganise what it has, and a full disk
	// would end the process. 0: DefaultReserve; negative: none is kept.
	ReserveBytes int64
	// RowCacheBytes bounds the memory in which rows are kept that were read lately, beside Badger's own 32 MiB for its blocks. A row that is found there takes a tenth of the time.
	// 0: DefaultRowCache; negative: none.
	RowCacheBytes int
	// FreeSpace returns how many bytes may still be written to the disk that holds dir. It is asked before each turn of writing, on
	// the committer's goroutine, and before each Log, on the caller's.
	// nil: the operating system is asked, where that is Linux, macOS, FreeBSD or Windows; elsewhere no reserve is kept.
	FreeSpace func(dir string) (uint64, error)
	// MaintainEvery is how often the store looks whether enough of its disk space is taken by what was deleted to be worth giving it back: 16 MiB, and a quarter of what is not deleted. It looks
	// again that long after the last run. 0: DefaultMaintainEvery; negative: never; [Store.Reclaim] is then what gives space back.
	MaintainEvery time.Duration
	// MaintainShare is how much of its time a run of maintenance may spend compacting, above 0 and up to 1, where it makes no pauses. A run ends early where so much is written
	// meanwhile that commits would have to wait. 0 and what is out of range: DefaultMaintainShare.
	MaintainShare float64
	// AbandonLog has Open go on where it would fail with ErrLogDamaged: what stands in the redo log before the damage is taken in, and the rest, which was acknowledged, is lost.
	AbandonLog bool
	// Maintained is told of each run of maintenance when it has ended, on the goroutine that made it. It must not close the store, nor reclaim or pause. nil: nobody is.
	Maintained func(Run)
	// Log receives Badger's own messages, on Badger's goroutines and several at a time; it must not call the store. nil: they are dropped.
	Log func(level slog.Level, message string)
}

func (o Options) withDefaults() Options {
	if o.ReserveBytes == 0 {
		o.ReserveBytes = DefaultReserve
	}
	if o.RowCacheBytes == 0 {
		o.RowCacheBytes = DefaultRowCache
	}
	if o.MaintainEvery == 0 {
		o.MaintainEvery = DefaultMaintainEvery
	}
	if !(o.MaintainShare > 0 && o.MaintainShare <= 1) {
		o.MaintainShare = DefaultMaintainShare
	}
	if o.FreeSpace == nil {
		o.FreeSpace = freeSpace
	}
	return o
}

const (
	// magic stands in the first bytes of Badger's manifest and tells our databases from those of others before Badger touches anything.
	magic = 0x5059 // "PY"
	// memtable is how large Badger's memtables are, and so its tables of level 0, before they are compressed.
	memtable = 16 << 20
	// stalling is how many tables of level 0 there are when writes stand still.
	stalling = 15
	// maxValue is where Badger would begin to move values into its value log, which nothing here ever compacts.
	maxValue = 1 << 20
	// baseLevel is how large the level may be that level 0 is compacted into: about as large as what comes at once, five memtables as tables, so that neither is rewritten for little of the
	// other (so says RocksDB's tuning guide). Badger's 10 MiB put one level more in between, through which all goes.
	baseLevel = 64 << 20
)

func (o Options) badger(dir string, logger badger.Logger) badger.Options {
	b := badger.DefaultOptions(dir)
	b.ExternalMagicVersion = magic
	b.SyncWrites = !o.NoSync
	// All writes come from the one committer, which reads its guards and commits before it begins the next transaction: there is nobody to
	// conflict with. A second writer would make every guard worthless.
	b.DetectConflicts = false
	// Small memtables are replayed in a tenth of a second after a crash. They also set how much fits one transaction: 15 % of this.
	b.MemTableSize = memtable
	b.NumMemtables = 2
	b.NumCompactors = 2
	b.NumLevelZeroTablesStall = stalling
	b.BaseLevelSize = baseLevel
	b.MaxLevels = lastLevel + 1
	b.NumVersionsToKeep = 1
	b.BlockCacheSize = 32 << 20
	b.ValueThreshold = maxValue
	b.ValueLogFileSize = 1 << 20 // stays empty, but is there: a sparse file of twice this size
	b.MetricsEnabled = false     // they are global to the process
	b.Logger = logger
	return b
}
