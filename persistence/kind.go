package persistence

import "fmt"

// String returns the kind's name in logs and metrics.
func (k Kind) String() string {
	switch k {
	case KindUnknown:
		return "unknown"
	case KindHead:
		return "head"
	case KindTail:
		return "tail"
	case KindMember:
		return "member"
	case KindDue:
		return "due"
	case KindEvent:
		return "event"
	case KindMembership:
		return "membership"
	case KindRoster:
		return "roster"
	case KindEntry:
		return "entry"
	case KindRemoval:
		return "removal"
	case KindLineage:
		return "lineage"
	case KindOrder:
		return "order"
	case KindGrave:
		return "grave"
	case KindSweep:
		return "sweep"
	case KindOwner:
		return "owner"
	case KindStore:
		return "store"
	}
	return fmt.Sprintf("kind(%d)", byte(k))
}

// Kinds returns all kinds, KindUnknown first.
func Kinds() []Kind {
	kinds := make([]Kind, 0, KindStore+1)
	for k := KindUnknown; k <= KindStore; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// AllRows holds every row of a store.
func AllRows() Range { return Range{Start: []byte{0}, End: []byte{0xff}} }
