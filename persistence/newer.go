package persistence

import (
	"fmt"
	"math"
)

// Newer reports whether value a of a row is newer than value b: whether it has the higher generation, or in the same generation the higher version. A tombstone is
// newer than any head of its generation; of two memberships, the one is that outlived the later order to forget their user, since versions begin anew with it. Rows without
// a version are as new as their generation.
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
	if first.outlived != second.outlived {
		return first.outlived > second.outlived, nil
	}
	return first.version > second.version, nil
}

type stamp struct {
	generation Generation
	outlived   Instant
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
		flags := d.byte()
		d.byte() // hide
		if flags&memberOutlived != 0 {
			s.outlived = d.instant()
		}
		s.version = d.uint()
	case KindMember:
	case KindUnknown, KindDue, KindEvent, KindEntry, KindRemoval, KindLineage, KindOrder, KindGrave, KindSweep, KindOwner, KindStore:
		return s, fmt.Errorf("%w: rows of this kind have no order", ErrValue)
	}
	return s, d.err
}
