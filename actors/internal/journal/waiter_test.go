package journal_test

import (
	"errors"
	"slices"
	"sync"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// waiter remembers what it was told.
type waiter struct {
	check func() // called first

	mu      sync.Mutex
	answers []error
	when    []journal.Written
}

func (w *waiter) Committed(when journal.Written, err error) {
	if w.check != nil {
		w.check()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, err)
	w.when = append(w.when, when)
}

func (w *waiter) told() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.answers)
}

func (f *fixture) wantWaiting(what string, w *waiter) {
	f.Helper()
	if told := w.told(); len(told) != 0 {
		f.Errorf("%s: the waiter was told %v, want it to wait", what, told)
	}
}

// wantTold checks that a waiter was told once, with an error of a kind; nil for none.
func (f *fixture) wantTold(what string, w *waiter, kind error) {
	f.Helper()
	if told := w.told(); len(told) != 1 || !errors.Is(told[0], kind) {
		f.Errorf("%s: the waiter was told %v, want %v, once", what, told, kind)
	}
}

// wantRefused checks what somebody is told who adds a change.
func (f *fixture) wantRefused(name string, kind error) {
	f.Helper()
	w := &waiter{}
	seq := f.Add(name, persistence.ShardOf(name), []conversation.Write{head(name, "refused")}, w)
	f.wantTold("an Add for "+name, w, kind)
	if seq != 0 {
		f.Errorf("an Add that is refused: got batch %d, want 0", seq)
	}
}
