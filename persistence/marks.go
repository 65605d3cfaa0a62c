package persistence

import "encoding/binary"

// Marks is a set of messages among the last [TailMessages]: a ring of bits, indexed by sequence number. The zero Marks is empty. Most conversations mark no message, so that the
// bits are there from the first mark on; a copy shares them.
type Marks struct{ words *MarkWords }

// MarkWords is the bits of [Marks].
type MarkWords [TailMessages / 64]uint64

// MarksIn returns the marks that are in words, which are theirs from then on; none where that is nil.
func MarksIn(words *MarkWords) Marks { return Marks{words} }

// Words returns the bits, which are the marks' own; nil where there never was one.
func (m *Marks) Words() *MarkWords { return m.words }

// Has reports whether the message is marked. Only messages within the tail may be asked for.
func (m *Marks) Has(seq uint64) bool {
	return m.words != nil && m.words[seq%TailMessages/64]&(1<<(seq%64)) != 0
}

// Set marks the message, or takes its mark away.
func (m *Marks) Set(seq uint64, on bool) {
	switch {
	case on && m.words == nil:
		m.words = &MarkWords{}
		fallthrough
	case on:
		m.words[seq%TailMessages/64] |= 1 << (seq % 64)
	case m.words != nil:
		m.words[seq%TailMessages/64] &^= 1 << (seq % 64)
	}
}

// Empty reports whether no message is marked.
func (m *Marks) Empty() bool { return m.words == nil || *m.words == MarkWords{} }

// Equal reports whether both have marked the same messages.
func (m Marks) Equal(other Marks) bool { return m.bits() == other.bits() }

func (m *Marks) bits() MarkWords {
	if m.words == nil {
		return MarkWords{}
	}
	return *m.words
}

// append writes which words are not zero, and those words.
func (m *Marks) append(b []byte) []byte {
	if m.words == nil {
		return append(b, 0)
	}
	var present uint16
	for i, word := range m.words {
		if word != 0 {
			present |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, uint64(present))
	for _, word := range m.words {
		if word != 0 {
			b = binary.BigEndian.AppendUint64(b, word)
		}
	}
	return b
}

func (d *decoder) marks(m *Marks) {
	present := d.uint()
	if present >= 1<<len(MarkWords{}) {
		d.fail()
		return
	}
	if present == 0 {
		return
	}
	m.words = &MarkWords{}
	for i := range m.words {
		if present&(1<<i) != 0 {
			m.words[i] = d.fixed64()
		}
	}
}
