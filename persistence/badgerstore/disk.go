package badgerstore

import (
	"fmt"
	"time"

	"github.com/parley-im/parley/persistence"
)

// Disk says what a store takes of its disk, and what of that is waste. All sizes are in bytes.
type Disk struct {
	Bytes    int64 // all files of the directory, as the file system has them allocated; on Windows: Apparent
	Apparent int64 // the lengths of the files: Badger makes those of its logs twice as long as it fills them

	// Parts of Bytes.
	Tables    int64
	Logs      int64 // of memtables, and the redo log: what was written last
	ValueLog  int64 // holds nothing: values are too small for it
	Remaining int64

	// Estimates. Badger does not know how large what a deletion deletes is: an average row is taken for that.
	Live        int64 // of Tables: what none of the following is
	Reclaimable int64 // of Tables: rows that were deleted, and their deletions, which maintenance can give back
	Held        int64 // of Tables: the same, but a snapshot that is open may read them
	Buffered    int64 // of Tables: rows whose deletions are in a memtable yet

	Maintenance Maintenance
}

// Maintenance is what became of a store's maintenance since it was opened.
type Maintenance struct {
	Running   bool
	Paused    bool
	Runs      uint64        // that ended
	Failed    uint64        // of Runs: those that an error ended
	Reclaimed int64         // by which the files were smaller after the runs than before; what was written meanwhile counts against it
	Worked    time.Duration // in all runs, without the pauses
	Last      Run           // the last that ended; zero: none did
}

// Run is one run of maintenance.
type Run struct {
	Began         time.Time
	Took          time.Duration
	Worked        time.Duration // of Took: without the pauses between the steps
	Steps         int           // compactions, of one table each, or of all that is in level 0
	Before, After int64         // bytes of all files
	Yielded       bool          // the rest was left to a later run, because so much was written that Badger's own compactions, which stand still during a run, had to go on
	Err           error         // nil; or what ended the run before its time: a context's, ErrPaused, ErrClosed, ErrStoreFull, or Badger's. What was won until then is kept
}

// Reclaimed is by how much the files are smaller than before the run. It is negative where more was written meanwhile.
func (r *Run) Reclaimed() int64 { return r.Before - r.After }

// Disk looks at the store's directory and at its tables. It costs a system call for each file, of which there is one for every few megabytes. After Close it fails with ErrClosed.
func (s *Store) Disk() (Disk, error) {
	d, _, err := s.maintainer.look()
	return d, err
}

// look measures and judges.
func (m *maintainer) look() (Disk, waste, error) {
	if !m.reads.enter() {
		return Disk{}, waste{}, persistence.ErrClosed
	}
	defer m.reads.leave()
	f, err := measure(m.dir)
	if err != nil {
		return Disk{}, waste{}, fmt.Errorf("badgerstore: measure: %w", err)
	}
	deletions, share := m.tally.read()
	w := judge(m.db.Tables(), func(id uint64) float64 {
		if id <= m.found {
			return 1 // nobody knows: the most that it can be
		}
		return share
	}, m.horizon())
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.newest != m.log {
		m.log, m.rotated = f.newest, m.looked
	}
	m.looked = deletions
	d := Disk{
		Bytes: f.bytes, Apparent: f.apparent,
		Tables: f.tables, Logs: f.logs, ValueLog: f.values, Remaining: f.other,
		Live: w.live(), Reclaimable: w.total(), Held: w.held,
		Buffered:    min(w.live(), int64(float64(deletions-m.rotated)*w.row)),
		Maintenance: m.stats,
	}
	d.Maintenance.Running = m.stop != nil
	return d, w, nil
}

// Space returns what metrics show of the disk. It costs what Disk does, and fails as that does, or where the operating system does not say what is free.
func (s *Store) Space() (persistence.Space, error) {
	d, err := s.Disk()
	if err != nil {
		return persistence.Space{}, err
	}
	free, err := s.committer.space.ask(s.dir)
	if err != nil {
		return persistence.Space{}, fmt.Errorf("badgerstore: free space of %s: %w", s.dir, err)
	}
	size := func(n int64) uint64 { return uint64(max(n, 0)) }
	return persistence.Space{
		Tables: size(d.Tables), Stale: size(d.Reclaimable + d.Held), Logs: size(d.Logs), ValueLog: size(d.ValueLog),
		Free: free, Reserve: s.committer.space.reserve, Given: size(d.Maintenance.Reclaimed),
	}, nil
}
