package persistence

import "encoding/binary"

// bytesFor returns how many bytes n places of so many bits take.
func bytesFor(n int, width uint8) int { return (n*int(width) + 7) / 8 }

// at returns the i-th place.
func (p *SendersParts) at(i int) uint16 {
	bit := i * int(p.Width)
	if bit>>3 >= len(p.Ring) {
		return 0
	}
	if p.Width == 16 {
		return binary.LittleEndian.Uint16(p.Ring[bit>>3:])
	}
	return uint16(p.Ring[bit>>3]>>(bit&7)) & (1<<p.Width - 1)
}

// put makes the i-th place another one, for which there are bits enough.
func (p *SendersParts) put(i int, place uint16) {
	if p.Width == 0 {
		p.Width = widthFor(1)
	}
	for need := bytesFor(i+1, p.Width); len(p.Ring) < need; {
		p.Ring = append(p.Ring, 0)
	}
	bit := i * int(p.Width)
	if p.Width == 16 {
		binary.LittleEndian.PutUint16(p.Ring[bit>>3:], place)
		return
	}
	b, shift := &p.Ring[bit>>3], bit&7
	*b = *b&^((1<<p.Width-1)<<shift) | byte(place)<<shift
}

// len returns how many places there are up to the last one that is known.
func (p *SendersParts) len() int {
	if p.Width == 0 {
		return 0
	}
	n := len(p.Ring) * 8 / int(p.Width)
	for n > 0 && p.at(n-1) == 0 {
		n--
	}
	return n
}

// sendersOrder is the places that are referred to, as they first occur in a ring, and by place the number that each has in that order, from 1 on.
type sendersOrder struct {
	places  [TailSenders]uint16
	n       int
	numbers [widestTable + 1]uint16
}

// find finds the order of a ring's places.
func (o *sendersOrder) find(p *SendersParts) {
	for i := range p.len() {
		if o.n == len(p.Names) {
			break
		}
		if place := p.at(i); place != 0 && o.numbers[place] == 0 {
			o.places[o.n] = place
			o.n++
			o.numbers[place] = uint16(o.n)
		}
	}
}

// appendRing appends the first n places by their numbers in the order.
func (p *SendersParts) appendRing(b []byte, n int, o *sendersOrder) []byte {
	if p.Width > 4 { // some numbers may take two bytes
		for i := range n {
			b = binary.AppendUvarint(b, uint64(o.numbers[p.at(i)]))
		}
		return b
	}
	of, mask, bits := 8/int(p.Width), byte(1)<<p.Width-1, byte(0)
	for i := range n {
		if i%of == 0 {
			bits = p.Ring[i/of]
		}
		b = append(b, byte(o.numbers[bits&mask]))
		bits >>= p.Width
	}
	return b
}
