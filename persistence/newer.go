package persistence

import (
	"fmt"
	"math"
)

// Newer reports whether value a of a row is newer than value b: whether it has the higher generation, or in the same generation the higher version. A tombstone is
// newer than any head of its generation. Rows without a version are as new as their generation.
func Newer(key, a, b []byte) (bool, error) {
	kind := KindOf(key)
	first, err := stampOf(kind, a)
	if err != nil {
		return false, err
	}
	second, err := stampOf(kind, b)
	if err != nil {
		return false, err
	}
	if first.generation != second.generation {
		return first.generation > second.generation, nil
	}
	return first.version > second.version, nil
}

type stamp struct {
	generation Generation
	version    uint64
}

// stampOf reads no further into a value than its version.
func stampOf(kind Kind, value []byte) (stamp, error) {
	d := decode(value)
	s := stamp{generation: Generation(d.fixed64())}
	switch kind {
	case KindHead:
		if d.byte() == isTombstone {
			s.version = math.MaxUint64
		} else {
			s.version = d.uint()
		}
	case KindTail, KindRoster:
		s.version = d.uint()
	case KindMembership:
		d.byte() // flags
		d.byte() // hide
		s.version = d.uint()
	case KindMember:
	case KindUnknown, KindDue, KindEvent, KindEntry, KindRemoval, KindLineage, KindOwner, KindStore:
		return s, fmt.Errorf("%w: rows of this kind have no order", ErrValue)
	}
	return s, d.err
}
