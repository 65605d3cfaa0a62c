package persistence

import (
	"encoding/binary"
	"fmt"
)

// Reason says why a conversation, or a user's part in it, came to an end. The numbers are those of the wire.
type Reason uint8

// The reasons.
const (
	ReasonNone Reason = iota
	ReasonExpired
	ReasonDeleted
	ReasonLeft
	ReasonHidden
	ReasonForgotten
)

// String returns the reason's name in logs and metrics.
func (r Reason) String() string {
	names := [...]string{"none", "expired", "deleted", "left", "hidden", "forgotten"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Removal tells a user's devices why a conversation left their list.
type Removal struct {
	Generation Generation
	Reason     Reason
}

// Encode returns the row's value.
func (r Removal) Encode() []byte {
	return append(appendHeader(make([]byte, 0, 10), r.Generation), byte(r.Reason))
}

// DecodeRemoval reads a [Removal].
func DecodeRemoval(value []byte) (Removal, error) {
	d := decode(value)
	r := Removal{Generation: Generation(d.fixed64()), Reason: Reason(d.byte())}
	return r, rowError("removal", d.done())
}

// Owner is the latest ownership of a shard, and the number that its next event will have.
type Owner struct {
	Epoch     Epoch
	NextEvent uint64
}

// Encode returns the row's value.
func (o Owner) Encode() []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{format}, uint64(o.Epoch)), o.NextEvent)
}

// DecodeOwner reads an [Owner].
func DecodeOwner(value []byte) (Owner, error) {
	d := decode(value)
	o := Owner{Epoch: Epoch(d.uint()), NextEvent: d.uint()}
	return o, rowError("owner", d.done())
}

func appendHeader(b []byte, generation Generation) []byte {
	return binary.BigEndian.AppendUint64(append(b, format), uint64(generation))
}

// GenerationOf returns the generation that a value carries behind its format version: those of heads, tombstones, tails, rosters, members,
// memberships, entries, events and removals do. It is what a guarded delete compares.
func GenerationOf(value []byte) (Generation, error) {
	d := decode(value)
	generation := Generation(d.fixed64())
	return generation, d.err
}

func rowError(row string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", err, row)
}
