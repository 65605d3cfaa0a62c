package server

import (
	"errors"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// setbacks are the conversations of a stream that wait for their client to go back: of each, a proposal was refused as overloaded, and whatever comes after it is
// refused too, so that a later proposal is not applied before an earlier one. They are the stream's reader's alone.
type setbacks map[string]setback

type setback struct {
	tag uint64 // of the proposal that must come again
	err error  // what it was refused with
}

// refuses returns why a proposal may not go on, nil where it may: there is no setback, or it is the one that must come again, and then the setback is over.
func (s setbacks) refuses(name string, tag uint64) error {
	back, ok := s[name]
	if !ok {
		return nil
	}
	if back.tag == tag {
		delete(s, name)
		return nil
	}
	return back.err
}

// note sees what became of a proposal.
func (s setbacks) note(name string, tag uint64, reply *actors.Reply) {
	if overloaded(reply) {
		s[name] = setback{tag: tag, err: reply.Err}
	}
}

// overloaded reports whether a reply says that the proposal was not taken in. One that was applied and only could not be written is not that.
func overloaded(reply *actors.Reply) bool {
	return reply != nil && reply.Ack == actors.AckDefault && errors.Is(reply.Err, conversation.ErrOverloaded)
}
