package badgerstore

import "sync"

// tallyWindow is about as many rows as one memtable holds.
const tallyWindow = 100_000

// tally counts what is written. The committer adds, maintenance reads.
type tally struct {
	mu              sync.Mutex
	deletions       int64 // since the store was opened
	lately, deleted int64 // the last rows, the later ones in full, and how many of them were deletions
}

func (t *tally) add(written []row) {
	var rows, deletions int64
	for i := range written {
		rows++
		if written[i].remove {
			deletions++
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deletions += deletions
	t.lately, t.deleted = t.lately+rows, t.deleted+deletions
	for t.lately > 2*tallyWindow {
		t.lately, t.deleted = t.lately/2, t.deleted/2
	}
}

// read returns how many deletions there were, and how much of what was written lately they are, 0 to 1; 0 where nothing was.
func (t *tally) read() (deletions int64, share float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lately == 0 {
		return t.deletions, 0
	}
	return t.deletions, float64(t.deleted) / float64(t.lately)
}
