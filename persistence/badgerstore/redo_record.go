package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/parley-im/parley/persistence"
)

// A record of the redo log: who wrote it (the log's salt), its position and that of the record before it, the length of what follows and a checksum of all of it; then a batch. Numbers
// are little-endian, those of the batch varints.
const (
	saltBytes    = 8
	recordHeader = saltBytes + 8 + 8 + 4 + 4
	checksumAt   = recordHeader - 4
)

// salt is drawn for each log: what is left in its files of another one is not taken for its own.
type salt [saltBytes]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a constant

var errRecord = errors.New("it is malformed")

// record is what a record says, but for its batch.
type record struct {
	position, before persistence.Position
	body             []byte
}

// appendRecord appends a record of a batch to b; seal makes it one.
func appendRecord(b []byte, batch *persistence.Batch) []byte {
	b = append(b, make([]byte, recordHeader)...)
	b = binary.AppendUvarint(b, uint64(batch.Clock))
	b = binary.AppendUvarint(b, uint64(len(batch.Groups)))
	for i := range batch.Groups {
		g := &batch.Groups[i]
		b = binary.AppendUvarint(b, uint64(g.Shard))
		b = binary.AppendUvarint(b, uint64(g.Epoch))
		b = binary.AppendUvarint(b, uint64(len(g.Puts)))
		for k := range g.Puts {
			put := &g.Puts[k]
			b = appendBytes(b, put.Key)
			condition := uint64(0)
			if put.IfPresent {
				condition = 1
			}
			b = binary.AppendUvarint(b, uint64(len(put.Value))<<1|condition)
			b = append(b, put.Value...)
		}
		b = binary.AppendUvarint(b, uint64(len(g.Deletes)))
		for k := range g.Deletes {
			b = appendBytes(b, g.Deletes[k].Key)
		}
	}
	return b
}

func appendBytes(b, s []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// seal fills in the header of a record that makes up all of b.
func seal(b []byte, s salt, position, before persistence.Position) {
	copy(b, s[:])
	binary.LittleEndian.PutUint64(b[saltBytes:], uint64(position))
	binary.LittleEndian.PutUint64(b[saltBytes+8:], uint64(before))
	binary.LittleEndian.PutUint32(b[saltBytes+16:], uint32(len(b)-recordHeader))
	binary.LittleEndian.PutUint32(b[checksumAt:], checksum(b))
}

func checksum(record []byte) uint32 {
	sum := crc32.Update(0, castagnoli, record[:checksumAt])
	return crc32.Update(sum, castagnoli, record[recordHeader:])
}

// readRecord returns the record that b begins with, and its length, if that is a whole one of the log.
func readRecord(b []byte, s salt) (r record, length int, ok bool) {
	if len(b) < recordHeader || !bytes.Equal(b[:saltBytes], s[:]) {
		return r, 0, false
	}
	body := int64(binary.LittleEndian.Uint32(b[saltBytes+16:]))
	if body > int64(len(b)-recordHeader) {
		return r, 0, false
	}
	length = recordHeader + int(body)
	if checksum(b[:length]) != binary.LittleEndian.Uint32(b[checksumAt:]) {
		return r, 0, false
	}
	return record{
		position: persistence.Position(binary.LittleEndian.Uint64(b[saltBytes:])),
		before:   persistence.Position(binary.LittleEndian.Uint64(b[saltBytes+8:])),
		body:     b[recordHeader:length],
	}, length, true
}

// scratch is where a record is decoded, again and again.
type scratch struct {
	groups  []persistence.Group
	puts    []persistence.Put
	deletes []persistence.Delete
}

// decode reads a record but for the groups of shards that are not wanted. What is in the scratch then shares the record's bytes, and is good until the next call.
func (r *record) decode(into *scratch, wanted func(persistence.Shard) bool) (persistence.Instant, error) {
	into.groups, into.puts, into.deletes = into.groups[:0], into.puts[:0], into.deletes[:0]
	d := &decoder{rest: r.body}
	clock := persistence.Instant(d.number())
	for range d.count() {
		g := persistence.Group{Shard: persistence.Shard(d.number()), Epoch: persistence.Epoch(d.number())}
		puts, deletes := len(into.puts), len(into.deletes)
		for range d.count() {
			put := persistence.Put{Key: d.bytes(d.number())}
			n := d.number()
			put.Value, put.IfPresent = d.bytes(n>>1), n&1 != 0
			into.puts = append(into.puts, put)
		}
		for range d.count() {
			into.deletes = append(into.deletes, persistence.Delete{Key: d.bytes(d.number())})
		}
		if !wanted(g.Shard) {
			into.puts, into.deletes = into.puts[:puts], into.deletes[:deletes]
			continue
		}
		g.Puts, g.Deletes = into.puts[puts:], into.deletes[deletes:]
		into.groups = append(into.groups, g)
	}
	if d.failed || len(d.rest) > 0 {
		return 0, fmt.Errorf("the record at position %d: %w", r.position, errRecord)
	}
	return clock, nil
}

// decoder reads the parts of a batch. Once something is not there, everything is zero.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) number() uint64 {
	n, length := binary.Uvarint(d.rest)
	if length <= 0 {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[length:]
	return n
}

// count reads how many things follow, each of which takes a byte at least.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.failed, d.rest = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.failed, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}
