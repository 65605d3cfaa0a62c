package badgerstore

import (
	"context"
	"sync"

	"github.com/parley-im/parley/persistence"
)

// Reclaim makes a run of maintenance now, whether it is worth it or not, and without pauses: what maintenance does by itself as long as the store is open, for an operator who does not want to
// wait. It gives back what deleted and overwritten rows take, but not what snapshots hold that are open. Commits and reads go on, slower; where so much is written meanwhile that commits would have to wait, the run yields. progress, where not nil, is told before each step how many bytes of those
// that lay above the last level are there no more; it is called on this goroutine.
//
// It first waits for a run under way, and for the end of a pause; one that comes later ends it, with ErrPaused. When ctx ends, it returns after the step under way, which may take a second, with what it has won until then and
// ctx's cause. Otherwise it fails with ErrClosed, with ErrStoreFull where there is not even room to compact, or with an error of Badger's.
func (s *Store) Reclaim(ctx context.Context, progress func(done, total int64)) (Run, error) {
	run, err := s.maintainer.run(ctx, 1, progress)
	if err != nil {
		return run, err
	}
	return run, run.Err
}

// Pause ends the run of maintenance that is under way, after its step, and lets none begin until resume was called, which may be called more than once. Where
// somebody has paused it already, it waits until they resume. Commits go on: Badger's own compactions do all that they need. A pause ends with the store.
func (s *Store) Pause(ctx context.Context) (resume func(), err error) {
	m := s.maintainer
	if !m.users.enter() {
		return nil, persistence.ErrClosed
	}
	defer m.users.leave()
	m.mu.Lock()
	m.pausing++
	if m.stop != nil {
		m.stop(ErrPaused)
	}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.pausing--
		m.mu.Unlock()
	}()
	select {
	case <-m.turn:
	case <-m.closing:
		return nil, persistence.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.paused(true)
	return sync.OnceFunc(func() {
		m.paused(false)
		m.turn <- struct{}{}
	}), nil
}

func (m *maintainer) paused(yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Paused = yes
}
