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
func (t *Tail) Encode() []byte { return t.Append(make([]byte, 0, 64+t.Senders.size())) }

// Append appends the row's value to b.
func (t *Tail) Append(b []byte) []byte {
	b = appendHeader(b, t.Generation)
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
