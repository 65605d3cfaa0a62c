package persistence

// Due is a due entry: it has its generation looked at when the deadline in its key comes. Ended is nil while that must be judged from the head.
type Due struct {
	Ended *Ended
	Index Index // where Ended is set
}

// Index is where the entries of a generation's members stand: what the reaper must know to remove them once the head is gone. See [Head].
type Index struct {
	Listed, Noticed Instant
	Large           bool
}

// Index returns where the entries of the head's members stand.
func (h *Head) Index() Index { return Index{Listed: h.Listed, Noticed: h.Noticed, Large: h.Large} }

// Encode returns the row's value, which is empty where Ended is nil.
func (d Due) Encode() []byte {
	if d.Ended == nil {
		return nil
	}
	if d.Index == (Index{}) {
		return d.Ended.append([]byte{format}, 0)
	}
	b := d.Ended.append([]byte{format}, endedIndexed)
	var large byte
	if d.Index.Large {
		large = 1
	}
	return append(appendInstant(appendInstant(b, d.Index.Listed), d.Index.Noticed), large)
}

// DecodeDue reads a [Due].
func DecodeDue(value []byte) (Due, error) {
	if len(value) == 0 {
		return Due{}, nil
	}
	d := decode(value)
	ended, flags := d.ended()
	due := Due{Ended: &ended}
	if flags&endedIndexed != 0 {
		due.Index = Index{Listed: d.instant(), Noticed: d.instant(), Large: d.byte() != 0}
	}
	if err := d.done(); err != nil {
		return Due{}, rowError("due entry", err)
	}
	return due, nil
}
