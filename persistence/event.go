package persistence

// Event says that a generation expired. It is written in the commit that deletes the generation's head.
type Event struct {
	At           Instant // when the deletion was committed, by the engine's clock
	Conversation string
	Generation   Generation
	Ended
	BuriedApart bool // the generation's tombstone does not go with this event: it had a GraveKey of its own, or there was none
}

// Encode returns the row's value.
func (e *Event) Encode() []byte {
	b := appendHeader(make([]byte, 0, 64), e.Generation)
	b = appendInstant(b, e.At)
	b = appendString(b, e.Conversation)
	var flags byte
	if e.BuriedApart {
		flags = endedApart
	}
	return e.append(b, flags)
}

// DecodeEvent reads an [Event].
func DecodeEvent(value []byte) (*Event, error) {
	d := decode(value)
	e := &Event{Generation: Generation(d.fixed64()), At: d.instant(), Conversation: d.string()}
	var flags byte
	e.Ended, flags = d.ended()
	e.BuriedApart = flags&endedApart != 0
	if err := d.done(); err != nil {
		return nil, rowError("event", err)
	}
	return e, nil
}
