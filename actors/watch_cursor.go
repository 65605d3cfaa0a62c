package actors

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// place is where a watcher stands: behind all events before it.
type place struct {
	epoch  persistence.Epoch          // whose changes the position counts: of the engine that has recorded them; 0: of none
	change uint64                     // the position of the next change
	events [persistence.Shards]uint64 // the number of each shard's next event
}

const (
	cursorFormat   = 1
	fingerprintLen = 8
)

// cursors writes and reads cursors: the format, a fingerprint of the store's incarnation, the place, and a checksum. The numbers of the shards' events are written as
// what is to be added to the lowest of them, and a zero with the number of those that follow it: from some twenty bytes for a young store to a few hundred for an old one.
type cursors struct{ fingerprint [fingerprintLen]byte }

func newCursors(incarnation string) cursors {
	sum := sha256.Sum256([]byte(incarnation))
	return cursors{[fingerprintLen]byte(sum[:])}
}

// shardPart returns the shards' part of a place's cursor. It changes with Expired events alone; whoever writes many cursors keeps it.
func (p *place) shardPart() []byte {
	least := slices.Min(p.events[:])
	b := binary.AppendUvarint(nil, least)
	for i := 0; i < len(p.events); {
		more := p.events[i] - least
		b = binary.AppendUvarint(b, more)
		i++
		if more != 0 {
			continue
		}
		run := i
		for i < len(p.events) && p.events[i] == least {
			i++
		}
		b = binary.AppendUvarint(b, uint64(i-run))
	}
	return b
}

// encode returns the cursor of a place, given its shardPart.
func (c *cursors) encode(p *place, events []byte) string {
	b := make([]byte, 0, 1+fingerprintLen+2*binary.MaxVarintLen64+len(events)+4)
	b = append(b, cursorFormat)
	b = append(b, c.fingerprint[:]...)
	b = binary.AppendUvarint(b, uint64(p.epoch))
	b = binary.AppendUvarint(b, p.change)
	b = append(b, events...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c *cursors) decode(cursor string) (place, error) {
	var p place
	foreign := func(why string) (place, error) { return place{}, conversation.Invalid("cursor", why) }
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 1+fingerprintLen+4 {
		return foreign("is not one that the engine gave")
	}
	body, sum := b[:len(b)-4], b[len(b)-4:]
	switch {
	case binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(body):
		return foreign("is not one that the engine gave")
	case body[0] != cursorFormat:
		return foreign("is of a format that this version does not know")
	case [fingerprintLen]byte(body[1:]) != c.fingerprint:
		return foreign("is of another store, or of another incarnation of this one")
	}
	rest := body[1+fingerprintLen:]
	next := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			rest, err = nil, persistence.ErrValue
			return 0
		}
		rest = rest[n:]
		return v
	}
	p.epoch = persistence.Epoch(next())
	p.change = next()
	least := next()
	for i := 0; i < len(p.events) && err == nil; i++ {
		more := next()
		p.events[i] = least + more
		if more != 0 {
			continue
		}
		for run := next(); run > 0 && i+1 < len(p.events); run-- {
			i++
			p.events[i] = least
		}
	}
	if err != nil || len(rest) != 0 {
		return foreign("is not one that the engine gave")
	}
	return p, nil
}
