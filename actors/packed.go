package actors

import (
	"encoding/binary"
	"hash/maphash"
	"math"
)

// packed holds conversations of a shard that are known but not active, each as a run of bytes in one of a few larger ones: nothing in it is a pointer that the collector would follow for a
// conversation. It belongs to the shard's actor.
//
// What lies there may be changed there, as long as it stays as long: see conversation.AddPost.
//
// It is a log. What is put in is appended; where a third of the log is not wanted any more, or where there is no room, the oldest part is taken: what is still wanted of that is appended again
// where enough of the log is not wanted any more, else it is forgotten. So those that were put in longest ago are forgotten first, roughly, putting one in costs O(1), over time, and what is taken
// is at most about half more than what is wanted.
type packed struct {
	room  int // bytes that it may take
	seed  maphash.Seed
	index markIndex // by fingerprint of the name
	parts [][]byte  // by number; nil: there is none
	order []uint16  // numbers of parts, oldest first; the last is appended to
	free  []uint16  // numbers of parts that there are none of any more
	spare []byte    // what a part was in before it was cleaned; nil: none
	live  int       // bytes that are wanted

	// forgetting is called with each one before it is forgotten because there is no room.
	forgetting func(name, content []byte)
}

// packedAt is a place: the part's number, and where in it.
func packedAt(part uint16, offset int) uint32 { return uint32(part)<<16 | uint32(offset) }

const (
	mostPackedPart  = 1 << 16
	leastPackedPart = 1 << 12
	// packedParts is into how many parts the room is divided, where those are neither too small nor too large then.
	packedParts = 16
	// packedWanted is the part of the log, in thirds, below which so little is wanted that the oldest part is cleaned before another is begun.
	packedWanted = 2
	// packedKeep is the part of the room, in quarters, up to which what is wanted of the oldest part is kept: the more, the more often it is written again.
	packedKeep = 3
)

func newPacked(room int, forgetting func(name, content []byte)) *packed {
	return &packed{room: room, seed: maphash.MakeSeed(), forgetting: forgetting}
}

// partSize is how large a part is.
func (p *packed) partSize() int { return min(mostPackedPart, max(leastPackedPart, p.room/packedParts)) }

// size is how many bytes it takes.
func (p *packed) size() (bytes int) {
	for _, n := range p.order {
		bytes += cap(p.parts[n])
	}
	return bytes + cap(p.spare) + p.index.size()
}

// put keeps content under a name, in place of what is there. What is too large for a part is not kept.
func (p *packed) put(name string, content []byte) {
	p.take(name)
	if size := packedHeader + len(name) + len(content); size <= p.partSize() && len(name) <= math.MaxUint8 {
		p.append(p.mark(name), size, name, content)
	}
}

func (p *packed) mark(name string) uint32 { return markOf(maphash.String(p.seed, name)) }

// find returns what is kept under a name, where it lies; nil where nothing is. It is good until the next put.
func (p *packed) find(name string) (content []byte) { return p.found(name, p.mark(name)) }

// found is find for a name whose fingerprint is known.
func (p *packed) found(name string, mark uint32) (content []byte) {
	for i := p.index.next(mark, int(mark)); i >= 0; i = p.index.next(mark, i+1) {
		if is, content, _ := p.record(p.index.entries[i].at()); string(is) == name {
			return content
		}
	}
	return nil
}

// entry returns the place in the index of what is kept under a name; -1: nothing is.
func (p *packed) entry(name string, mark uint32) int {
	i := p.index.next(mark, int(mark))
	for i >= 0 {
		if is, _, _ := p.record(p.index.entries[i].at()); string(is) == name {
			break
		}
		i = p.index.next(mark, i+1)
	}
	return i
}

// marked yields what is kept under names of a fingerprint, where it lies.
func (p *packed) marked(mark uint32, yield func(name, content []byte)) {
	for i := p.index.next(mark, int(mark)); i >= 0; i = p.index.next(mark, i+1) {
		name, content, _ := p.record(p.index.entries[i].at())
		yield(name, content)
	}
}

// each yields all that is kept, where it lies.
func (p *packed) each(yield func(name, content []byte)) {
	for _, e := range p.index.entries {
		if e != 0 {
			name, content, _ := p.record(e.at())
			yield(name, content)
		}
	}
}

// has reports whether something is kept under a name.
func (p *packed) has(name string) bool { return p.entry(name, p.mark(name)) >= 0 }

// take returns what is kept under a name, and keeps it no longer. It is good until the next put.
func (p *packed) take(name string) (content []byte, ok bool) {
	i := p.entry(name, p.mark(name))
	if i < 0 {
		return nil, false
	}
	_, content, n := p.record(p.index.entries[i].at())
	p.live -= n
	p.index.remove(i)
	return content, true
}

// resize changes the room, and forgets what is too much then.
func (p *packed) resize(room int) {
	p.room, p.spare = room, nil
	for p.index.shrink(); len(p.order) > 0 && p.size() > room; p.index.shrink() {
		p.clean(false)
	}
}

// packedHeader is what stands before each: the lengths of the name, one byte, and of the content, two bytes.
const packedHeader = 3

// record reads what stands at a place, and how many bytes that takes.
func (p *packed) record(at uint32) (name, content []byte, size int) {
	b := p.parts[at>>16][at&(mostPackedPart-1):]
	size = packedHeader + int(b[0])
	name = b[packedHeader:size]
	content = b[size : size+int(binary.LittleEndian.Uint16(b[1:]))]
	return name, content, size + len(content)
}

// append adds a record, which takes so many bytes.
func (p *packed) append(mark uint32, size int, name string, content []byte) {
	keep := len(p.order) // each part is cleaned once: if there is no room then, something must go
	for len(p.order) == 0 || size > cap(p.last())-len(p.last()) || p.size()+p.index.growth() > p.room {
		if !p.begin(keep > 0) {
			return
		}
		keep--
	}
	n := p.order[len(p.order)-1]
	p.index.add(entryOf(mark, packedAt(n, len(p.parts[n]))))
	part := p.parts[n]
	before := len(part)
	part = binary.LittleEndian.AppendUint16(append(part, byte(len(name))), uint16(len(content)))
	part = append(append(part, name...), content...)
	p.parts[n] = part
	p.live += len(part) - before
}

func (p *packed) last() []byte { return p.parts[p.order[len(p.order)-1]] }

// begin starts a part, for which it takes the oldest where there is no room for one more, or where little of the log is wanted: it keeps what is wanted of that if it may, and if that is little
// enough altogether. It reports false where there is no room for any.
func (p *packed) begin(keep bool) bool {
	if keep && len(p.order) >= packedParts/2 && 3*(p.live+p.index.size()) < packedWanted*p.size() {
		p.clean(true)
		return true
	}
	size := p.partSize()
	for p.size()+size+p.index.growth() > p.room {
		if len(p.order) == 0 {
			return false
		}
		if keep && 4*(p.live+p.index.size()) <= packedKeep*p.room {
			p.clean(true)
			return true
		}
		p.clean(false)
	}
	var n uint16
	if last := len(p.free) - 1; last >= 0 {
		n, p.free = p.free[last], p.free[:last]
	} else {
		if len(p.parts) == mostPackedPart {
			return false
		}
		n = uint16(len(p.parts))
		p.parts = append(p.parts, nil)
	}
	p.parts[n] = make([]byte, 0, size)
	p.order = append(p.order, n)
	return true
}

// clean gives up the oldest part. Where keep is set, what is wanted of it stands in another then, the latest, which may have room for more.
func (p *packed) clean(keep bool) {
	n := p.order[0]
	old := p.parts[n]
	var kept []byte
	if keep {
		if kept = p.spare; cap(kept) < cap(old) {
			kept = make([]byte, 0, cap(old))
		}
	}
	for offset := 0; offset < len(old); {
		at := packedAt(n, offset)
		name, content, size := p.record(at)
		if i := p.index.find(entryOf(markOf(maphash.Bytes(p.seed, name)), at)); i >= 0 {
			if keep {
				p.index.entries[i] = entryOf(p.index.entries[i].mark(), packedAt(n, len(kept)))
				kept = append(kept, old[offset:offset+size]...)
			} else {
				p.forgetting(name, content)
				p.index.remove(i)
				p.live -= size
			}
		}
		offset += size
	}
	p.order = append(p.order[:0], p.order[1:]...)
	if keep {
		p.parts[n], p.spare = kept, old[:0]
		p.order = append(p.order, n)
		return
	}
	p.parts[n] = nil
	p.free = append(p.free, n)
}
