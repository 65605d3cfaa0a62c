package persistence

import "encoding/binary"

// Lineage is the starts of engines on a store, oldest first. A copy of the store that was put back from a backup has not seen the starts since.
type Lineage []Began

// Began is an engine's start.
type Began struct {
	Mark  uint64  // drawn at random
	Until Instant // what it told is in the store up to this: Never where it ended in order, else the store's clock when the next one began; zero as long as it lasts
}

// MaxLineage is how many starts a lineage has.
const MaxLineage = 1_024

// LineageKey is the key of the store's [Lineage]. It is a row of the first shard.
func LineageKey() []byte { return shardKey(0, kindLineage, 0) }

// Encode returns the row's value.
func (l Lineage) Encode() []byte {
	b := append(make([]byte, 0, 4+18*len(l)), format)
	b = binary.AppendUvarint(b, uint64(len(l)))
	for _, began := range l {
		b = appendInstant(binary.BigEndian.AppendUint64(b, began.Mark), began.Until)
	}
	return b
}

// DecodeLineage reads a [Lineage].
func DecodeLineage(value []byte) (Lineage, error) {
	d := decode(value)
	var l Lineage
	if n := d.count(); n > MaxLineage {
		d.fail()
	} else if n > 0 {
		l = make(Lineage, n)
		for i := range l {
			l[i] = Began{Mark: d.fixed64(), Until: d.instant()}
		}
	}
	return l, rowError("lineage", d.done())
}
