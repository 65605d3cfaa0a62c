package persistencetest

import (
	"context"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Op is an operation of a [Store].
type Op string

// The operations.
const (
	OpAcquire  Op = "acquire"
	OpCommit   Op = "commit"
	OpLog      Op = "log"
	OpSnapshot Op = "snapshot"
	OpGet      Op = "get"
	OpScan     Op = "scan" // the beginning of one
)

// Faults is what goes wrong in a [Store], and how long everything takes. Any func may be nil. They are called on the goroutine of whoever
// called the store, several at a time but for those of writes, and without a lock: one may block, which stops its operation at that very point
// while all reads go on, and may read the store, but not write to it. A Log and a commit may be under way at the same time.
type Faults struct {
	// Latency returns how long an operation takes. A write takes that long in its turn, before it has any effect, and like any write under way is
	// not stopped by its context; a read is.
	Latency func(Op) time.Duration

	// Acquire fails an acquisition, which then has no effect.
	Acquire func(shards []persistence.Shard) error
	// BeforeCommit fails a commit, or a Log, which then writes nothing.
	BeforeCommit func(persistence.Batch) error
	// BeforeGroup is called before the group at an index is written. An error fails the commit: what came before the group stays written.
	BeforeGroup func(batch persistence.Batch, index int) error
	// AfterCommit is called once everything is written and published, or logged, without results then. An error is what the caller is told: an unknown outcome that was a success.
	AfterCommit func(batch persistence.Batch, results []persistence.Result) error

	// Snapshot fails the opening of a snapshot.
	Snapshot func() error
	// Get fails the reading of a row.
	Get func(key []byte) error
	// Scan is called before each step of a scan, with the number of rows that it has yielded. An error ends the scan.
	Scan func(r persistence.Range, yielded int) error
}

func (f *Faults) latency(op Op) time.Duration {
	if f.Latency == nil {
		return 0
	}
	return f.Latency(op)
}

func (f *Faults) beforeGroup(batch persistence.Batch, index int) error {
	if f.BeforeGroup == nil {
		return nil
	}
	return f.BeforeGroup(batch, index)
}

// wait returns after d, or with an error as soon as ctx ends or the store is gone.
func (s *Store) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return ErrCrashed
	}
}
