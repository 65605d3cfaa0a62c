package actorstest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// ErrBroken is what a store that fails says, unless a test gives it another reason.
var ErrBroken = errors.New("actorstest: the store is broken")

// Fault is something that goes wrong with the store. See [Engine.Break].
type Fault struct {
	// inject adds the fault to others. over is closed when it ends.
	inject func(f *persistencetest.Faults, over <-chan struct{})
}

// WritesFail keeps the store from writing anything, for a reason; nil: ErrBroken. The engine goes on in memory and tries again, ever more slowly, at least every two or
// three seconds. Who waits for AckCommitted waits; once the journal is at its bound, proposals are refused with ErrOverloaded. Nothing expired is deleted.
func WritesFail(reason error) Fault {
	return beforeCommit(func(persistence.Batch, <-chan struct{}) error { return orBroken(reason) })
}

// DiskIsFull keeps the store from writing anything, because there is no space. Who waits for AckCommitted is told so at once, with ErrOverloaded and what they proposed applied
// all the same; other proposals are refused with ErrOverloaded until a write succeeds.
func DiskIsFull() Fault { return WritesFail(persistence.ErrStoreFull) }

// AnswersAreLost has the store write, or log, everything and say that it failed. The engine repeats its writes until the fault ends.
func AnswersAreLost() Fault {
	return Fault{inject: func(f *persistencetest.Faults, _ <-chan struct{}) {
		before := f.AfterCommit
		f.AfterCommit = func(batch persistence.Batch, results []persistence.Result) error {
			if before != nil {
				if err := before(batch, results); err != nil {
					return err
				}
			}
			return ErrBroken
		}
	}}
}

// WritesHang has every write stand still until the fault ends; then it is carried out. Reads go on. It is how to fill the journal, or a conversation's queue.
func WritesHang() Fault {
	return beforeCommit(func(_ persistence.Batch, over <-chan struct{}) error {
		<-over
		return nil
	})
}

// WritesTake makes every write take a time, one after the other, and so for what is logged. One under way when the fault ends takes its whole time.
func WritesTake(d time.Duration) Fault {
	return latency(d, persistencetest.OpCommit, persistencetest.OpLog)
}

// ReadsTake makes every row read, and the beginning of every scan, take a time: those of callers, and those of the engine for a conversation that becomes active.
func ReadsTake(d time.Duration) Fault {
	return latency(d, persistencetest.OpGet, persistencetest.OpScan)
}

// ReadsFail keeps the store from reading rows, for a reason; nil: ErrBroken. Questions fail with ErrUnavailable, and so do proposals to conversations that are not in
// memory.
func ReadsFail(reason error) Fault {
	return Fault{inject: func(f *persistencetest.Faults, _ <-chan struct{}) {
		f.Get = func([]byte) error { return orBroken(reason) }
		f.Scan = func(persistence.Range, int) error { return orBroken(reason) }
	}}
}

// RowsAreRefused keeps the store from writing the rows of one conversation, for a reason; nil: ErrBroken. Once the engine has seen that it does write others, it gives up: the
// conversation's rows that are not in the store are dropped, who waits for them is refused with ErrQuarantined, and so is everybody for QuarantineFor. Meanwhile the
// others' writes, which share its batches, take a second or two.
func RowsAreRefused(name string, reason error) Fault {
	return beforeCommit(func(batch persistence.Batch, _ <-chan struct{}) error {
		for _, g := range batch.Groups {
			for _, put := range g.Puts {
				if of, err := persistence.ParseHeadKey(put.Key); err == nil && of == name {
					return orBroken(reason)
				}
			}
		}
		return nil
	})
}

func orBroken(reason error) error {
	if reason == nil {
		return ErrBroken
	}
	return reason
}

func beforeCommit(fail func(batch persistence.Batch, over <-chan struct{}) error) Fault {
	return Fault{inject: func(f *persistencetest.Faults, over <-chan struct{}) {
		before := f.BeforeCommit
		f.BeforeCommit = func(batch persistence.Batch) error {
			if before != nil {
				if err := before(batch); err != nil {
					return err
				}
			}
			return fail(batch, over)
		}
	}}
}

func latency(d time.Duration, ops ...persistencetest.Op) Fault {
	return Fault{inject: func(f *persistencetest.Faults, _ <-chan struct{}) {
		before := f.Latency
		f.Latency = func(op persistencetest.Op) time.Duration {
			var all time.Duration
			if before != nil {
				all = before(op)
			}
			if slices.Contains(ops, op) {
				all += d
			}
			return all
		}
	}}
}

// Break adds faults to the store that last until Heal. Operations under way are not affected.
func (e *Engine) Break(faults ...Fault) { e.faults.add(e.Store, faults) }

// BreakFor adds faults to the store that last for a time, and returns at once. Heal, and a crash, end them sooner.
func (e *Engine) BreakFor(d time.Duration, faults ...Fault) {
	time.AfterFunc(d, e.faults.add(e.Store, faults))
}

// Heal ends all faults, also those that were set at the store directly.
func (e *Engine) Heal() { e.faults.heal(e.Store) }

// faults is what is wrong with a store.
type faults struct {
	mu     sync.Mutex
	active []*injected
}

type injected struct {
	Fault

	over chan struct{}
}

func (f *faults) add(store *persistencetest.Store, added []Fault) (end func()) {
	var mine []*injected
	for _, fault := range added {
		mine = append(mine, &injected{Fault: fault, over: make(chan struct{})})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active = append(f.active, mine...)
	f.set(store)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.end(store, mine)
	}
}

func (f *faults) heal(store *persistencetest.Store) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end(store, slices.Clone(f.active))
	f.set(store)
}

// end removes those that are still there. f.mu is held.
func (f *faults) end(store *persistencetest.Store, ending []*injected) {
	before := len(f.active)
	f.active = slices.DeleteFunc(f.active, func(i *injected) bool {
		if !slices.Contains(ending, i) {
			return false
		}
		close(i.over)
		return true
	})
	if len(f.active) != before {
		f.set(store)
	}
}

// set tells the store what is wrong with it. f.mu is held.
func (f *faults) set(store *persistencetest.Store) {
	var all persistencetest.Faults
	for _, i := range f.active {
		i.inject(&all, i.over)
	}
	store.SetFaults(all)
}
