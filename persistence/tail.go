package persistence

import "encoding/binary"

// How far back a [Tail] reaches.
const (
	TailMessages = 1024 // marks of single messages
	TailSenders  = 256  // who sent them
)

// Tail is what must be known of a conversation's latest messages one by one: which do not count, which named everybody, who sent them.
// The zero Tail belongs to a generation without messages.
type Tail struct {
	Generation Generation
	Version    uint64 // grows by one with each change of this row within a generation
	Last       uint64 // the message it ends with
	Uncounted  Marks  // silent or retracted
	Everyone   Marks  // mention everybody
	Senders    Senders
}

// Marks is a set of messages among the last [TailMessages]: a ring of bits, indexed by sequence number.
type Marks [TailMessages / 64]uint64

// Has reports whether the message is marked. Only messages within the tail may be asked for.
func (m *Marks) Has(seq uint64) bool { return m[seq%TailMessages/64]&(1<<(seq%64)) != 0 }

// Set marks the message, or takes its mark away.
func (m *Marks) Set(seq uint64, on bool) {
	if on {
		m[seq%TailMessages/64] |= 1 << (seq % 64)
	} else {
		m[seq%TailMessages/64] &^= 1 << (seq % 64)
	}
}

// Extend moves the tail's end to seq. The messages between the old end and seq, and seq itself, are unmarked and of unknown sender.
func (t *Tail) Extend(seq uint64) {
	if seq > t.Last {
		t.blank(t.Last, seq)
		t.Last = seq
	}
}

// Rewind moves the tail's end back to seq. What it knew of older messages than it then begins with had been given up for those that are taken back.
func (t *Tail) Rewind(seq uint64) {
	if seq < t.Last {
		t.blank(seq, t.Last)
		t.Last = seq
	}
}

// blank takes the marks and senders away that stand where messages after one, up to another, have their places.
func (t *Tail) blank(after, upTo uint64) {
	if upTo-after >= TailMessages {
		t.Uncounted, t.Everyone = Marks{}, Marks{}
	} else {
		for s := after + 1; s <= upTo; s++ {
			t.Uncounted.Set(s, false)
			t.Everyone.Set(s, false)
		}
	}
	if upTo-after >= TailSenders {
		t.Senders = Senders{}
	} else {
		for s := after + 1; s <= upTo; s++ {
			t.Senders.Set(s, "")
		}
	}
}

// Encode returns the row's value.
func (t *Tail) Encode() []byte {
	b := appendHeader(make([]byte, 0, 64+t.Senders.size()), t.Generation)
	b = binary.AppendUvarint(b, t.Version)
	b = binary.AppendUvarint(b, t.Last)
	b = t.Uncounted.append(b)
	b = t.Everyone.append(b)
	return t.Senders.append(b)
}

// DecodeTail reads a [Tail].
func DecodeTail(value []byte) (*Tail, error) {
	d := decode(value)
	t := &Tail{Generation: Generation(d.fixed64()), Version: d.uint(), Last: d.uint()}
	d.marks(&t.Uncounted)
	d.marks(&t.Everyone)
	d.senders(&t.Senders)
	if err := d.done(); err != nil {
		return nil, rowError("tail", err)
	}
	return t, nil
}

// append writes which words are not zero, and those words.
func (m *Marks) append(b []byte) []byte {
	var present uint16
	for i, word := range m {
		if word != 0 {
			present |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, uint64(present))
	for _, word := range m {
		if word != 0 {
			b = binary.BigEndian.AppendUint64(b, word)
		}
	}
	return b
}

func (d *decoder) marks(m *Marks) {
	present := d.uint()
	if present >= 1<<len(m) {
		d.fail()
		return
	}
	for i := range m {
		if present&(1<<i) != 0 {
			m[i] = d.fixed64()
		}
	}
}
