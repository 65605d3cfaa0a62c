package persistence

import "encoding/binary"

// Sweep is how far a pass over all conversations has come that is not done: what comes after a restart goes on with it.
type Sweep struct {
	Mark    uint64 // of what the pass is for: one for something else begins anew
	Shard   Shard  // those before it are done
	After   string // the last conversation of that shard that is done; "": none is
	Looked  uint64 // conversations looked at
	Changed uint64 // among those
	Skipped uint64 // likewise
}

// SweepKey is the key of the store's [Sweep]. It is a row of the first shard.
func SweepKey() []byte { return shardKey(0, kindSweep, 0) }

// Encode returns the row's value.
func (s Sweep) Encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{format}, s.Mark)
	b = appendString(binary.AppendUvarint(b, uint64(s.Shard)), s.After)
	for _, n := range [...]uint64{s.Looked, s.Changed, s.Skipped} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// DecodeSweep reads a [Sweep].
func DecodeSweep(value []byte) (Sweep, error) {
	d := decode(value)
	s := Sweep{Mark: d.fixed64()}
	shard := d.uint()
	if shard >= Shards {
		d.fail()
	}
	s.Shard, s.After = Shard(shard), d.string()
	s.Looked, s.Changed, s.Skipped = d.uint(), d.uint(), d.uint()
	return s, rowError("sweep", d.done())
}
