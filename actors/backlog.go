package actors

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// backlog is about how much there is to delete altogether, most of which is in the due index only. It is known from a census, and from what was done since. Only the reaper uses it.
type backlog struct {
	counting bool
	behind   bool // a survey found more than it might bring
	at       persistence.Instant
	total    int     // that the last census found, less what was done since
	finished int     // since the census under way began
	perOne   average // rows of a generation
}

// counted is what a census found. Census → reaper.
type counted struct {
	attempt uint64
	entries int
}

const (
	// censusEvery is how often the backlog is counted, as long as there is one.
	censusEvery = 10 * time.Second
	// censusStep and censusPause keep a census from being in anybody's way: it reads so many entries, which takes about two milliseconds, and then waits.
	censusStep  = 4_096
	censusPause = 20 * time.Millisecond
	// usualRows stand for a generation's until some were deleted.
	usualRows = 10
)

// surveyed takes in whether there is more than fits the reaper's memory, and reports whether that is to be counted now.
func (b *backlog) surveyed(more bool, now persistence.Instant) (count bool) {
	if b.behind = more; !more {
		b.total = 0
		return false
	}
	if b.counting || (b.at != 0 && now.Sub(b.at) < censusEvery) {
		return false
	}
	b.counting, b.finished = true, 0
	return true
}

// counted takes a census in. While it went through the index, what was done was half behind it, on average.
func (b *backlog) counted(m *counted, now persistence.Instant) {
	b.counting, b.at = false, now
	b.total = max(0, m.entries-b.finished/2)
}

// done takes in that entries are gone.
func (b *backlog) done(entries int) {
	b.finished += entries
	b.total = max(0, b.total-entries)
}

// sized takes in how many rows some generations had.
func (b *backlog) sized(generations, rows int) {
	if generations > 0 {
		b.perOne.add(float64(rows)/float64(generations), quietWidth)
	}
}

// left returns about how many generations there are, and how many rows those have; held are in the reaper's memory.
func (b *backlog) left(held int) (generations, rows int) {
	generations = held
	if b.behind {
		generations = max(held, b.total)
	}
	each := float64(usualRows)
	if b.perOne.samples > 0 {
		each = b.perOne.value
	}
	return generations, int(each * float64(generations))
}

// countDue counts the due entries that have come due, and tells the reaper. What is in the journal alone is left out. It gives up silently where the store cannot be read: the survey tells.
func (e *Engine) countDue(attempt uint64, now persistence.Instant) {
	entries := 0
	defer func() { e.tellReaper(&counted{attempt: attempt, entries: entries}) }()
	read := 0
	for shard := range persistence.Shard(persistence.Shards) {
		within := persistence.DueRange(shard, 0, now)
		for more := true; more; {
			last, n, err := e.countSome(within, censusStep-read)
			if err != nil {
				return
			}
			entries, read = entries+n, read+n
			if more = last != nil; more {
				within = within.After(last)
			}
			if read >= censusStep {
				read = 0
				if e.wait(e.ctx, censusPause) != nil {
					return
				}
			}
		}
	}
}

// countSome counts up to limit rows of a range, and returns the last of them where there may be more.
func (e *Engine) countSome(within persistence.Range, limit int) (last []byte, n int, err error) {
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, 0, err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(e.ctx, within) {
		if err != nil {
			return nil, n, err
		}
		if n++; n == limit {
			return append([]byte(nil), row.Key...), n, nil
		}
	}
	return nil, n, nil
}
