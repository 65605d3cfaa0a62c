package actors

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// syncCursor is how far a client has heard what changed.
type syncCursor struct {
	mark uint64              // of the engine's start that gave it
	from persistence.Instant // everything with a lower stamp was told
	// seen is what the clock of a store must have reached for it to hold all that was told; Never: some of that was in no store when it was told, and only the start
	// that told it knows what became of it.
	seen persistence.Instant
	// In the middle of several pages:
	next  persistence.Instant // what the cursor after the last page has as from; zero: this is not the middle
	after string              // the last conversation that was told
	full  bool                // the pages tell everything anew
}

const syncCursorFormat = 1

func (c *syncCursor) encode() string {
	b := binary.BigEndian.AppendUint64([]byte{syncCursorFormat}, c.mark)
	b = binary.AppendVarint(b, int64(c.from))
	b = binary.AppendVarint(b, int64(c.seen))
	b = binary.AppendVarint(b, int64(c.next))
	flags := byte(0)
	if c.full {
		flags = 1
	}
	b = append(append(b, flags), c.after...)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

func decodeSyncCursor(text string) (c syncCursor, err error) {
	fault := conversation.Invalid("cursor", "is not one that the server gave")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 1+8+2+1+4 {
		return c, fault
	}
	b, sum := b[:len(b)-4], b[len(b)-4:]
	if crc32.ChecksumIEEE(b) != binary.BigEndian.Uint32(sum) {
		return c, fault
	}
	if b[0] != syncCursorFormat {
		return c, conversation.Invalid("cursor", "is of a format that this version does not know")
	}
	c.mark = binary.BigEndian.Uint64(b[1:])
	b = b[9:]
	for _, at := range [...]*persistence.Instant{&c.from, &c.seen, &c.next} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return c, fault
		}
		*at, b = persistence.Instant(v), b[n:]
	}
	if len(b) == 0 || b[0] > 1 || c.from < 0 || c.seen < 0 || c.next < 0 {
		return c, fault
	}
	c.full, c.after = b[0] == 1, string(b[1:])
	if c.after != "" && persistence.CheckConversation(c.after) != nil {
		return c, fault
	}
	return c, nil
}

// cursorNow returns the cursor of a client that has heard everything which is settled, and is going to hear what may not be.
func (e *Engine) cursorNow() string {
	c := syncCursor{mark: e.lineage.current, from: e.settled(), seen: persistence.Never}
	return c.encode()
}

// told returns what the clock of a store must have reached for it to hold what has been read just now; Never where some of that was in the journal alone, or was taken out of it
// since `dropped`.
func (e *Engine) told(cost *ReadCost, dropped persistence.Instant) persistence.Instant {
	if cost.Volatile > 0 || e.journal.Dropped() != dropped {
		return persistence.Never
	}
	return e.store.Meta().Clock
}

// horizonSlack keeps removals for longer than cursors are good, so that none is removed while a client asks for it.
const horizonSlack = time.Hour

// follows reports whether what changed since a cursor can be told: this store has all that was told, and nothing since has been forgotten.
func (e *Engine) follows(c *syncCursor) bool {
	if c.seen == persistence.Never && e.journal.Dropped() >= c.from {
		return false // it may have been told what was taken back since
	}
	return e.lineage.knows(c.mark, c.seen) && c.from >= e.store.Meta().Clock.Add(-e.config.SyncHorizon)
}
