package badgerstore

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// rowCache keeps rows that were read lately: Badger takes microseconds for one even where all is in memory, and a page of a list has hundreds.
//
// Snapshots are numbered as they are published, and each row is kept with the number of a snapshot that has it: that one has it, and so has each later one, for the committer
// replaces what it overwrote before it publishes. Older snapshots may not, and do not ask the cache. What a reader of a snapshot brings is kept only while nothing newer is about to be
// published: supersede begins by saying so, and then looks at each row that was overwritten, so that whoever was just about to put the old value was either
// before it, and is replaced, or is refused.
type rowCache struct {
	latest atomic.Uint64 // the snapshot that was published last, or is about to be
	seed   maphash.Seed
	parts  [cacheParts]cachePart
}

const (
	cacheParts = 64
	// cacheOverhead stands for what a row costs in memory besides its bytes.
	cacheOverhead = 128
)

// cachePart is the rows of some keys, from the one used last to the one used longest ago.
type cachePart struct {
	mu    sync.Mutex
	rows  map[string]*cachedRow
	used  cachedRow // the ring's end
	bytes int
	room  int
}

type cachedRow struct {
	key          string
	value        []byte // not changed
	since        uint64
	newer, older *cachedRow
}

// newRowCache returns a cache for so many bytes, nil where that is none. A nil cache keeps nothing.
func newRowCache(room int) *rowCache {
	if room <= 0 {
		return nil
	}
	c := &rowCache{seed: maphash.MakeSeed()}
	for i := range c.parts {
		p := &c.parts[i]
		p.rows, p.room = make(map[string]*cachedRow), room/cacheParts
		p.used.newer, p.used.older = &p.used, &p.used
	}
	return c
}

// keeps reports whether rows of this kind are worth keeping: those that are read one by one, by key.
func (c *rowCache) keeps(key []byte) bool {
	if c == nil {
		return false
	}
	switch persistence.KindOf(key) {
	case persistence.KindHead, persistence.KindTail, persistence.KindMembership, persistence.KindRoster:
		return true
	case persistence.KindUnknown, persistence.KindMember, persistence.KindDue, persistence.KindEvent, persistence.KindEntry,
		persistence.KindRemoval, persistence.KindLineage, persistence.KindOrder, persistence.KindGrave, persistence.KindSweep, persistence.KindOwner, persistence.KindStore:
	}
	return false
}

func (c *rowCache) part(key []byte) *cachePart {
	return &c.parts[maphash.Bytes(c.seed, key)%cacheParts]
}

// get returns the value that a snapshot has under a key that the cache keeps, if it is there. It must not be changed.
func (c *rowCache) get(key []byte, snapshot uint64) ([]byte, bool) {
	p := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.rows[string(key)]
	if !ok || r.since > snapshot {
		return nil, false
	}
	r.unlink()
	p.front(r)
	return r.value, true
}

// put keeps what a snapshot has under a key that the cache keeps. It takes the value over.
func (c *rowCache) put(key, value []byte, snapshot uint64) {
	p := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.latest.Load() != snapshot {
		return
	}
	p.remove(key)
	p.insert(string(key), value, snapshot)
}

// supersede is told what was written, or, where that is doubtful, may have been, between the snapshot before and this one, which is about to be published.
func (c *rowCache) supersede(snapshot uint64, written []row, doubtful bool) {
	if c == nil {
		return
	}
	c.latest.Store(snapshot)
	for i := range written {
		w := &written[i]
		if !c.keeps(w.key) {
			continue
		}
		p := c.part(w.key)
		p.mu.Lock()
		// What nobody has read is not kept for having been written.
		if p.remove(w.key) && !w.remove && !doubtful {
			p.insert(string(w.key), bytes.Clone(w.value), snapshot)
		}
		p.mu.Unlock()
	}
}

// insert adds a row that is not there, and lets those go that were used longest ago. p.mu is held.
func (p *cachePart) insert(key string, value []byte, since uint64) {
	r := &cachedRow{key: key, value: value, since: since}
	if r.size() > p.room {
		return
	}
	p.rows[key] = r
	p.bytes += r.size()
	p.front(r)
	for p.bytes > p.room {
		p.drop(p.used.newer) // behind the end of the ring comes its other end
	}
}

// remove reports whether a row was there. p.mu is held.
func (p *cachePart) remove(key []byte) bool {
	r, ok := p.rows[string(key)]
	if ok {
		p.drop(r)
	}
	return ok
}

func (p *cachePart) drop(r *cachedRow) {
	r.unlink()
	delete(p.rows, r.key)
	p.bytes -= r.size()
}

func (p *cachePart) front(r *cachedRow) {
	r.newer, r.older = &p.used, p.used.older
	r.newer.older, r.older.newer = r, r
}

func (r *cachedRow) unlink() { r.newer.older, r.older.newer = r.older, r.newer }

func (r *cachedRow) size() int { return len(r.key) + len(r.value) + cacheOverhead }
