package persistence

import "encoding/binary"

// MaxEndedUsers is how many users an [Ended] names.
const MaxEndedUsers = 100

// Ended is how a generation came to its end. It is the value of a due entry from the moment that it can no longer be told from the head,
// and it goes into the event.
type Ended struct {
	Reason   Reason
	LastSeq  uint64
	Deadline Instant // when the generation was over
	// Users are its members, at most MaxEndedUsers. Of a large conversation those are left out who are in a later generation already, or whose rows went with one that was deleted
	// before this one.
	Users          []string
	UsersTruncated bool // there were more
}

const (
	endedTruncated = 1 << iota
	endedIndexed   // in a due entry: an Index follows
	endedApart     // in an event
)

func (e *Ended) append(b []byte, flags byte) []byte {
	b = append(b, byte(e.Reason))
	b = binary.AppendUvarint(b, e.LastSeq)
	b = appendInstant(b, e.Deadline)
	if e.UsersTruncated {
		flags |= endedTruncated
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(len(e.Users)))
	for _, user := range e.Users {
		b = appendString(b, user)
	}
	return b
}

func (d *decoder) ended() (e Ended, flags byte) {
	e = Ended{Reason: Reason(d.byte()), LastSeq: d.uint(), Deadline: d.instant()}
	flags = d.byte()
	e.UsersTruncated = flags&endedTruncated != 0
	if n := d.count(); n > 0 {
		e.Users = make([]string, n)
		for i := range e.Users {
			e.Users[i] = d.string()
		}
	}
	return e, flags
}
