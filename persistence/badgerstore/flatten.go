package badgerstore

import (
	"log/slog"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// flattener makes Badger's Flatten a sequence of steps that can be spaced and stopped. Flatten compacts one table after the other, from the top, until all is
// in one level; it knows no pace and no end but its own, and keeps Badger's own compactions stopped until then. But it logs a line before each step, on
// its caller's goroutine, and holds no lock then: to Badger, a flattener is its logger, and that line is where it waits, or leaves by a panic.
type flattener struct {
	log    badgerLog // of everything else; nil: nowhere
	before atomic.Pointer[func() error]
}

// stepMessage is the line that Flatten logs before each step, and nothing else does.
const stepMessage = "Attempting to compact with %+v\n"

// stoppedFlatten is the panic that takes the flattener out of Flatten, which puts everything in order on the way.
type stoppedFlatten struct{ err error }

// flatten runs Flatten. Before each step it calls `before`, on this goroutine; an error ends the run and is returned. Only one flatten may run at a time.
func (f *flattener) flatten(db *badger.DB, before func() error) (err error) {
	f.before.Store(&before)
	defer f.before.Store(nil)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case stoppedFlatten:
			err = p.err
		default:
			panic(p)
		}
	}()
	return db.Flatten(1)
}

// Infof implements badger.Logger.
func (f *flattener) Infof(format string, args ...any) {
	if format != stepMessage {
		f.pass(slog.LevelInfo, format, args)
		return
	}
	if before := f.before.Load(); before != nil {
		if err := (*before)(); err != nil {
			panic(stoppedFlatten{err})
		}
	}
}

// Errorf implements badger.Logger.
func (f *flattener) Errorf(format string, args ...any) { f.pass(slog.LevelError, format, args) }

// Warningf implements badger.Logger.
func (f *flattener) Warningf(format string, args ...any) { f.pass(slog.LevelWarn, format, args) }

// Debugf implements badger.Logger.
func (f *flattener) Debugf(format string, args ...any) { f.pass(slog.LevelDebug, format, args) }

func (f *flattener) pass(level slog.Level, format string, args []any) {
	if f.log != nil {
		f.log.log(level, format, args)
	}
}
