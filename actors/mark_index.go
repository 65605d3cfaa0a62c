package actors

// markIndex finds places by the fingerprints of names: a place is a number that whoever uses it gives a meaning. It is a hash table with linear probing, in which an entry takes eight bytes, so that it mostly takes one look at memory. What is taken out leaves no mark: what
// stands behind it is moved up (Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R). Several names may have the same fingerprint. The zero value is empty.
type markIndex struct {
	entries []markEntry // their number is a power of two, and some are free
	n       int
}

// markEntry is a fingerprint and a place; zero: none. Its place among the entries is the one that the fingerprint's lowest bits tell, or the first free one behind that.
type markEntry uint64

const (
	leastIndex = 16
	// fullIndex is how many eighths of the entries may be taken.
	fullIndex = 6
)

func entryOf(mark, at uint32) markEntry { return markEntry(mark)<<32 | markEntry(at) }

func (e markEntry) mark() uint32 { return uint32(e >> 32) }

func (e markEntry) at() uint32 { return uint32(e) }

// markOf returns the fingerprint that is made of a hash. It is never zero.
func markOf(hash uint64) uint32 { return uint32(hash>>32) | 1<<31 }

// size is how many bytes it takes.
func (x *markIndex) size() int { return 8 * len(x.entries) }

// growth is how many bytes more it takes with one more entry.
func (x *markIndex) growth() int {
	if !x.full() {
		return 0
	}
	return 8*max(leastIndex, 2*len(x.entries)) - x.size()
}

// full reports whether there is no room for one more.
func (x *markIndex) full() bool { return 8*(x.n+1) > fullIndex*len(x.entries) }

// home is where an entry would stand if no other did.
func (x *markIndex) home(mark uint32) int { return int(mark) & (len(x.entries) - 1) }

// next returns the place among the entries of the next one with a fingerprint, from one on; -1: there is none.
func (x *markIndex) next(mark uint32, from int) int {
	if len(x.entries) == 0 {
		return -1
	}
	mask := len(x.entries) - 1
	for i := from & mask; x.entries[i] != 0; i = (i + 1) & mask {
		if x.entries[i].mark() == mark {
			return i
		}
	}
	return -1
}

// touch reads the entry where the first with a fingerprint would stand if no other did.
func (x *markIndex) touch(mark uint32) byte {
	if len(x.entries) == 0 {
		return 0
	}
	return byte(x.entries[x.home(mark)])
}

// find returns the place among the entries of one that is there.
func (x *markIndex) find(e markEntry) int {
	i := x.next(e.mark(), x.home(e.mark()))
	for i >= 0 && x.entries[i] != e {
		i = x.next(e.mark(), i+1)
	}
	return i
}

func (x *markIndex) add(e markEntry) {
	if x.full() {
		x.move(max(leastIndex, 2*len(x.entries)))
	}
	mask := len(x.entries) - 1
	i := x.home(e.mark())
	for x.entries[i] != 0 {
		i = (i + 1) & mask
	}
	x.entries[i] = e
	x.n++
}

// move has room for so many entries.
func (x *markIndex) move(room int) {
	old := x.entries
	x.entries, x.n = make([]markEntry, room), 0
	for _, e := range old {
		if e != 0 {
			x.add(e)
		}
	}
}

// shrink gives up room that is not needed.
func (x *markIndex) shrink() {
	room := len(x.entries)
	for room > leastIndex && 8*x.n <= fullIndex*room/4 {
		room /= 2
	}
	switch {
	case x.n == 0:
		x.entries = nil
	case room < len(x.entries):
		x.move(room)
	}
}

// remove takes out the entry at a place.
func (x *markIndex) remove(i int) {
	mask := len(x.entries) - 1
	x.n--
	free := i
	for i = (i + 1) & mask; x.entries[i] != 0; i = (i + 1) & mask {
		if home := x.home(x.entries[i].mark()); (i-home)&mask >= (i-free)&mask { // it need not stand behind the free place
			x.entries[free] = x.entries[i]
			free = i
		}
	}
	x.entries[free] = 0
}
