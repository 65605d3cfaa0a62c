package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

const (
	// worthBytes is the least that a run must promise to win.
	worthBytes = 16 << 20
	// worthShare is the least that a run must promise to win, of what is live: flattening may rewrite all of that.
	worthShare = 0.25
	// maxDoubt bounds how long no run is begun after some that won less than half of what they promised: each of these doubles the time.
	maxDoubt = time.Hour
	// maxPause bounds the pause between two steps.
	maxPause = 5 * time.Second
	// crowded is how many tables of level 0 end a run: Badger's own compactions stand still meanwhile, and once they are stalling, writes would.
	crowded = 8
	// flushPoll is how often it is looked whether Badger has made a table of a memtable.
	flushPoll = 10 * time.Millisecond
)

// maintainer gives disk space back: it finds out, now and then, whether enough of it is waste, and has Badger compact until it is not. One run is under way at a time.
type maintainer struct {
	db        *badger.DB
	dir       string
	flattener *flattener
	tally     *tally
	found     uint64 // tables with ids up to this were there when the store was opened
	reads     *gate
	horizon   func() uint64
	do        func(ctx context.Context, r *request) error // hands a request to the committer
	space     func() error                                // ErrStoreFull where there is too little for a step
	every     time.Duration
	share     float64
	worth     int64
	told      func(Run)
	step      func() // called before each step of a run; nil but in tests

	turn    chan struct{} // holds a token: whoever takes it may run, or keeps others from it
	users   *gate         // runs, also those that wait for their turn
	closing chan struct{}
	stopped chan struct{} // the loop ended

	mu      sync.Mutex
	stats   Maintenance
	closed  bool
	stop    context.CancelCauseFunc // of the run under way; nil: none is
	pausing int                     // pauses that wait for the run to end
	looked  int64                   // deletions at the last look
	log     string                  // newest memtable's log then
	rotated int64                   // deletions when it was found to be a new one, or before
}

// ErrPaused is what ends a run of maintenance that a pause interrupts.
var ErrPaused = errors.New("badgerstore: maintenance was paused")

func (m *maintainer) start() {
	m.closing = make(chan struct{})
	m.users = newGate()
	m.turn = make(chan struct{}, 1)
	m.turn <- struct{}{}
	m.stopped = make(chan struct{})
	for _, t := range m.db.Tables() {
		m.found = max(m.found, t.ID)
	}
	if m.every < 0 {
		close(m.stopped)
		return
	}
	go m.loop()
}

// end ends the run under way after its step, and waits for it, and for whoever waits for a run. It must be called once.
func (m *maintainer) end() {
	m.mu.Lock()
	m.closed = true
	if m.stop != nil {
		m.stop(persistence.ErrClosed)
	}
	m.mu.Unlock()
	close(m.closing)
	<-m.stopped
	m.users.close()
}

// loop looks every so often, from the end of the run before on.
//
//nolint:contextcheck,nolintlint // it outlives whatever opened the store, and closing ends its runs; the second linter does not see what the first one takes from here
func (m *maintainer) loop() {
	defer close(m.stopped)
	timer := time.NewTimer(m.every)
	defer timer.Stop()
	doubt := m.every
	for {
		select {
		case <-timer.C:
		case <-m.closing:
			return
		}
		wait := m.every
		promised, run, err := m.maintain(context.Background())
		switch {
		case err != nil || promised == 0 || run.Yielded:
		case run.Err == nil && run.Reclaimed() >= promised/2:
			doubt = m.every
		default:
			doubt = min(2*doubt, max(maxDoubt, m.every))
			wait = doubt
		}
		timer.Reset(wait)
	}
}

// maintain makes a run if there is enough to win. It returns how much that was; zero: no run was made.
func (m *maintainer) maintain(ctx context.Context) (promised int64, run Run, err error) {
	d, w, err := m.look()
	if err != nil || !m.worthwhile(&d) {
		return 0, Run{}, err
	}
	run, err = m.run(ctx, m.share, nil)
	return w.total() + d.Buffered, run, err
}

func (m *maintainer) worthwhile(d *Disk) bool {
	return float64(d.Reclaimable+d.Buffered) >= max(float64(m.worth), worthShare*float64(d.Live))
}

// run makes a run, once it is its turn. An error says that there was none; what went wrong in it is in the Run.
func (m *maintainer) run(ctx context.Context, share float64, progress func(done, total int64)) (Run, error) {
	if !m.users.enter() {
		return Run{}, persistence.ErrClosed
	}
	defer m.users.leave()
	select {
	case <-m.turn:
	case <-m.closing:
		return Run{}, persistence.ErrClosed
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	defer func() { m.turn <- struct{}{} }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m.mu.Lock()
	m.stop = stop
	switch { // what came while this one waited
	case m.closed:
		stop(persistence.ErrClosed)
	case m.pausing > 0:
		stop(ErrPaused)
	}
	m.mu.Unlock()

	run := Run{Began: time.Now()}
	p := &pacer{share: share}
	run.Before, run.After, run.Err = m.work(ctx, p, progress)
	if run.Yielded = errors.Is(run.Err, errYield); run.Yielded {
		run.Err = nil
	}
	run.Took, run.Worked, run.Steps = time.Since(run.Began), p.worked, p.steps

	m.mu.Lock()
	m.stop = nil
	m.stats.Runs++
	if run.Err != nil {
		m.stats.Failed++
	}
	m.stats.Reclaimed += run.Reclaimed()
	m.stats.Worked += run.Worked
	m.stats.Last = run
	m.mu.Unlock()
	if m.told != nil {
		m.told(run)
	}
	return run, nil
}

// work is what a run does. It returns the sizes before and after.
func (m *maintainer) work(ctx context.Context, p *pacer, progress func(done, total int64)) (before, after int64, err error) {
	d, w, err := m.look()
	if err != nil {
		return 0, 0, err
	}
	// What lies still in the last level is compacted only with something from above, which must first get out of the memtable.
	if least := m.worth / 4; w.stuck >= least || d.Buffered >= least {
		if err = m.stir(ctx, w.touch); err == nil {
			_, w, err = m.look()
		}
	}
	if err == nil {
		total := w.upper
		// Commits that go on could keep Flatten going for ever. Twice the tables that there are leaves room for those that come.
		most := 64 + 2*len(m.db.Tables())
		err = m.flattener.flatten(m.db, func() error {
			if progress != nil {
				progress(min(total, max(0, total-m.upper())), total)
			}
			if m.step != nil {
				m.step()
			}
			if p.steps++; p.steps > most {
				return errYield
			}
			if err := p.pause(ctx); err != nil {
				return err
			}
			if m.crowded() {
				return errYield
			}
			return m.space()
		})
		p.rest()
		if err == nil && progress != nil {
			progress(total, total)
		}
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	f, fault := measure(m.dir)
	if fault != nil {
		return d.Bytes, d.Bytes, errors.Join(err, fault)
	}
	return d.Bytes, f.bytes, err
}

// errYield ends a run that would take too long, or keep Badger's own compactions from what commits need.
var errYield = errors.New("yields to commits")

// stir writes the rows once more as they are, and fills the memtable up, so that all that was written so far gets into a table. It waits for that.
func (m *maintainer) stir(ctx context.Context, touch [][]byte) error {
	const atOnce = 256 // rows that others wait for
	for len(touch) > 0 {
		n := min(atOnce, len(touch))
		if err := m.do(ctx, &request{stir: &stirring{touch: touch[:n]}, done: make(chan struct{})}); err != nil {
			return fmt.Errorf("stir: %w", err)
		}
		touch = touch[n:]
	}
	f, err := measure(m.dir)
	if err != nil {
		return fmt.Errorf("stir: %w", err)
	}
	before := f.newest
	for f.newest == before {
		if err = m.do(ctx, &request{stir: &stirring{ballast: true}, done: make(chan struct{})}); err != nil {
			return fmt.Errorf("stir: %w", err)
		}
		if f, err = measure(m.dir); err != nil {
			return fmt.Errorf("stir: %w", err)
		}
	}
	if err = m.do(ctx, &request{stir: &stirring{clear: true}, done: make(chan struct{})}); err != nil {
		return fmt.Errorf("stir: %w", err)
	}
	for {
		if f, err = measure(m.dir); err != nil {
			return fmt.Errorf("stir: %w", err)
		}
		if _, there := f.logged[before]; !there {
			return nil
		}
		if err := wait(ctx, flushPoll); err != nil {
			return err
		}
	}
}

// upper is how many bytes are above the last level.
func (m *maintainer) upper() (bytes int64) {
	for _, l := range m.db.Levels()[:lastLevel] {
		bytes += l.Size
	}
	return bytes
}

func (m *maintainer) crowded() bool { return m.db.Levels()[0].NumTables >= crowded }
