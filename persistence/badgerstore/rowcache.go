package badgerstore

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// rowCache keeps rows that were read lately: Badger takes microseconds for one even where all is in memory, and a page of a list has hundreds. They lie in a few large pieces of memory, so that the collector, which
// would follow three pointers for each of some hundred thousand rows, has nothing to do with them.
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
	// cacheSegments is into how many segments a part is divided, where those are neither too small nor too large then.
	cacheSegments = 16
	leastSegment  = 256
	mostSegment   = 1 << 16 // so that the length of a row, which takes half of one at most, is of two bytes
	// cacheRows is the part of the room, in fifths, that the segments take: what is left is for the map of places.
	cacheRows = 4
)

// cachePart is the rows of some keys. It is a log in segments: what is put is appended to the newest, and where there is no room for one more the oldest is given up, but for those of its rows that were used
// since they were appended, as far as they are not more than half of it. That is CLOCK, or FIFO with reinsertion, which keeps about what the least recently used would, without anything being moved by a use.
type cachePart struct {
	seed     maphash.Seed
	mu       sync.Mutex
	places   map[uint64]cachePlace // by the key's hash
	segments [][]byte              // by number
	oldest   int                   // the number of the oldest one; the newest is before it, in a circle
	most     int                   // so many segments
	size     int                   // of each
	spare    []byte                // what the next one is made in
}

// cachePlace is where a row is: the segment's number, and where in it.
type cachePlace uint64

func placeOf(segment, at int) cachePlace { return cachePlace(segment)<<32 | cachePlace(at) }

// What stands before a row's key and value.
const (
	cachedUsed   = 0 // one byte: whether it was used
	cachedKey    = 1 // the key's length, two bytes
	cachedValue  = 3 // the value's, two bytes
	cachedSince  = 5 // eight bytes
	cachedHeader = 13
)

// newRowCache returns a cache for so many bytes, nil where that is none. A nil cache keeps nothing.
func newRowCache(room int) *rowCache {
	if room <= 0 {
		return nil
	}
	c := &rowCache{seed: maphash.MakeSeed()}
	for i := range c.parts {
		p := &c.parts[i]
		p.size = min(mostSegment, max(leastSegment, room/cacheParts/cacheSegments))
		p.most = max(1, room/cacheParts*cacheRows/5/p.size-1) // and the spare one
		p.seed, p.places = c.seed, map[uint64]cachePlace{}
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

func (c *rowCache) part(key []byte) (p *cachePart, hash uint64) {
	hash = maphash.Bytes(c.seed, key)
	return &c.parts[hash%cacheParts], hash
}

// get returns the value that a snapshot has under a key that the cache keeps, if it is there. It is the caller's.
func (c *rowCache) get(key []byte, snapshot uint64) ([]byte, bool) {
	p, hash := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.find(hash, key)
	if !ok || r.since() > snapshot {
		return nil, false
	}
	r[cachedUsed] = 1
	return bytes.Clone(r.value()), true
}

// put keeps what a snapshot has under a key that the cache keeps.
func (c *rowCache) put(key, value []byte, snapshot uint64) {
	p, hash := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.latest.Load() != snapshot {
		return
	}
	p.remove(hash, key)
	p.insert(hash, key, value, snapshot)
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
		p, hash := c.part(w.key)
		p.mu.Lock()
		// What nobody has read is not kept for having been written.
		if p.remove(hash, w.key) && !w.remove && !doubtful {
			p.insert(hash, w.key, w.value, snapshot)
		}
		p.mu.Unlock()
	}
}

// cachedRow is a row where it lies.
type cachedRow []byte

func (r cachedRow) keyEnd() int { return cachedHeader + int(binary.LittleEndian.Uint16(r[cachedKey:])) }

func (r cachedRow) key() []byte { return r[cachedHeader:r.keyEnd()] }

func (r cachedRow) size() int { return r.keyEnd() + int(binary.LittleEndian.Uint16(r[cachedValue:])) }

func (r cachedRow) value() []byte { return r[r.keyEnd():r.size()] }

func (r cachedRow) since() uint64 { return binary.LittleEndian.Uint64(r[cachedSince:]) }

func (p *cachePart) at(place cachePlace) cachedRow { return p.segments[place>>32][uint32(place):] }

// find returns the row under a key. p.mu is held.
func (p *cachePart) find(hash uint64, key []byte) (r cachedRow, ok bool) {
	place, ok := p.places[hash]
	if !ok {
		return nil, false
	}
	r = p.at(place)
	return r, bytes.Equal(r.key(), key)
}

// remove reports whether a row was there. p.mu is held.
func (p *cachePart) remove(hash uint64, key []byte) bool {
	_, ok := p.find(hash, key)
	if ok {
		delete(p.places, hash)
	}
	return ok
}

// insert adds a row that is not there, unless it is too large. One whose key has the same hash gives way. p.mu is held.
func (p *cachePart) insert(hash uint64, key, value []byte, since uint64) {
	size := cachedHeader + len(key) + len(value)
	if size > p.size/2 {
		return
	}
	newest := p.newest()
	if newest < 0 || len(p.segments[newest])+size > p.size {
		newest = p.begin()
	}
	b := p.segments[newest]
	p.places[hash] = placeOf(newest, len(b))
	b = binary.LittleEndian.AppendUint16(append(b, 0), uint16(len(key)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	b = binary.LittleEndian.AppendUint64(b, since)
	p.segments[newest] = append(append(b, key...), value...)
}

// newest returns the number of the segment that is appended to; -1: there is none.
func (p *cachePart) newest() int {
	if len(p.segments) == 0 {
		return -1
	}
	return (p.oldest + len(p.segments) - 1) % len(p.segments)
}

// begin begins a segment, at least half of which is free, and returns its number. p.mu is held.
func (p *cachePart) begin() int {
	if len(p.segments) < p.most {
		p.segments = append(p.segments, make([]byte, 0, p.size))
		return len(p.segments) - 1
	}
	if p.spare == nil {
		p.spare = make([]byte, 0, p.size)
	}
	n := p.oldest
	old, kept := p.segments[n], p.spare
	for at := 0; at < len(old); {
		r := cachedRow(old[at:])
		r = r[:r.size()]
		hash, place := maphash.Bytes(p.seed, r.key()), placeOf(n, at)
		at += len(r)
		switch is, ok := p.places[hash]; {
		case !ok || is != place: // it was replaced
		case r[cachedUsed] != 0 && len(kept)+len(r) <= p.size/2:
			p.places[hash] = placeOf(n, len(kept))
			r[cachedUsed] = 0
			kept = append(kept, r...)
		default:
			delete(p.places, hash)
		}
	}
	p.segments[n], p.spare = kept, old[:0]
	p.oldest = (n + 1) % len(p.segments)
	return n
}
