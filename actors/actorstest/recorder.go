package actorstest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
)

// Notes returns all that the engine has told so far, and those before it since Start, in order. What it told on several goroutines at once is in one of the orders possible.
func (e *Engine) Notes() []Note {
	notes, _ := e.recorder.from(0)
	return slices.Clone(notes)
}

// Expired returns the generations that were deleted so far, in the order of their deletion.
func (e *Engine) Expired() []actors.ExpiredInfo { return infos[actors.ExpiredInfo](e, KindExpired) }

// Failed returns the failures that were contained so far.
func (e *Engine) Failed() []actors.FailedInfo { return infos[actors.FailedInfo](e, KindFailed) }

// Unanswered returns the refusals so far of proposals that nobody waits for.
func (e *Engine) Unanswered() []actors.UnansweredInfo {
	return infos[actors.UnansweredInfo](e, KindUnanswered)
}

// Flushes returns the attempts so far to write a batch of the journal, as they ended.
func (e *Engine) Flushes() []actors.FlushInfo { return infos[actors.FlushInfo](e, KindFlushEnd) }

// Reaps returns the attempts so far at a batch of deletions, as they ended.
func (e *Engine) Reaps() []actors.ReapInfo { return infos[actors.ReapInfo](e, KindReapEnd) }

// Forgets returns the ends of all parts of the forgetting of users, also of those that failed.
func (e *Engine) Forgets() []actors.ForgetInfo {
	return infos[actors.ForgetInfo](e, KindForgetEnd)
}

func infos[T any](e *Engine, kind Kind) []T {
	notes, _ := e.recorder.from(0)
	var all []T
	for _, n := range notes {
		if info, ok := n.Info.(T); ok && n.Kind == kind {
			all = append(all, info)
		}
	}
	return all
}

// Turns returns how the reaper's pace changed its direction so far.
func (e *Engine) Turns() []actors.PaceInfo { return infos[actors.PaceInfo](e, KindPaced) }

// Await returns the first note since Start that is the one looked for, and lets time go by until there is one. It calls is once for each note, in order. If there
// is none within d, it fails the test and says what was told instead.
func (e *Engine) Await(d time.Duration, is func(Note) bool) Note {
	e.t.Helper()
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	for seen := 0; ; {
		notes, more := e.recorder.from(seen)
		for _, n := range notes {
			if is(n) {
				return n
			}
		}
		seen += len(notes)
		select {
		case <-more:
		case <-timeout.C:
			e.t.Fatalf("the engine did not say what was waited for within %v, but:\n%s", d, e.transcript())
		}
	}
}

// AwaitExpired returns what was told of the first generation of a conversation that was deleted since Start. It lets time go by as Await does.
func (e *Engine) AwaitExpired(d time.Duration, conversation string) actors.ExpiredInfo {
	e.t.Helper()
	n := e.Await(d, func(n Note) bool { return n.Kind == KindExpired && n.Conversation() == conversation })
	info, _ := n.Info.(actors.ExpiredInfo)
	return info
}

// transcriptLines is how much a failing test says of what went before.
const transcriptLines = 40

func (e *Engine) transcript() string {
	notes := e.Notes()
	var lines []string
	if left := len(notes) - transcriptLines; left > 0 {
		lines, notes = append(lines, "…"), notes[left:]
	}
	for _, n := range notes {
		lines = append(lines, n.String())
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

// recorder remembers what engines say.
type recorder struct {
	mu    sync.Mutex
	notes []Note
	more  chan struct{} // closed with the next note
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

// from returns the notes from an index on, and what is closed when there are more. The notes may be read, not changed.
func (r *recorder) from(index int) (notes []Note, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notes[index:len(r.notes):len(r.notes)], r.more
}

func (r *recorder) note(kind Kind, info any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, Note{At: time.Now(), Kind: kind, Info: info})
	close(r.more)
	r.more = make(chan struct{})
}

// observe returns an observer for one engine, that records everything but proposals and reads, and passes all of it on to next, until it is muted.
func (r *recorder) observe(next *actors.Observer) (observer *actors.Observer, mute func()) {
	if next == nil {
		next = &actors.Observer{}
	}
	var muted atomic.Bool
	observer = &actors.Observer{
		Expired:     tap(r, &muted, KindExpired, next.Expired),
		ReapBegin:   tap(r, &muted, KindReapBegin, next.ReapBegin),
		ReapEnd:     tap(r, &muted, KindReapEnd, next.ReapEnd),
		ForgetBegin: tap(r, &muted, KindForgetBegin, next.ForgetBegin),
		ForgetEnd:   tap(r, &muted, KindForgetEnd, next.ForgetEnd),
		Paced:       tap(r, &muted, KindPaced, next.Paced),
		Bounded:     tap(r, &muted, KindBounded, next.Bounded),
		FlushBegin:  tap(r, &muted, KindFlushBegin, next.FlushBegin),
		FlushEnd:    tap(r, &muted, KindFlushEnd, next.FlushEnd),
		Read: func(info actors.ReadInfo) {
			if next.Read != nil && !muted.Load() {
				next.Read(info)
			}
		},
		Failed:     tap(r, &muted, KindFailed, next.Failed),
		Unanswered: tap(r, &muted, KindUnanswered, next.Unanswered),
		StopBegin:  tap(r, &muted, KindStopBegin, next.StopBegin),
		StopEnd:    tap(r, &muted, KindStopEnd, next.StopEnd),
	}
	if next.Proposed != nil {
		observer.Proposed = func(info actors.ProposedInfo) {
			if !muted.Load() {
				next.Proposed(info)
			}
		}
	}
	return observer, func() { muted.Store(true) }
}

func tap[T any](r *recorder, muted *atomic.Bool, kind Kind, next func(T)) func(T) {
	return func(info T) {
		if muted.Load() {
			return
		}
		r.note(kind, info)
		if next != nil {
			next(info)
		}
	}
}
