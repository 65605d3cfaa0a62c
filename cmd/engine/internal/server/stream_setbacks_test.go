package server

import (
	"errors"
	"testing"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

func TestAfterASetbackAConversationWaitsForTheSameTag(t *testing.T) {
	full := &conversation.Error{Kind: conversation.ErrOverloaded}
	refused := &actors.Reply{Err: full}
	tests := []struct {
		name  string
		tag   uint64 // of what was refused
		reply *actors.Reply
		next  []uint64 // tags that come then
		goes  []bool   // which of them go on
	}{
		{"the refused one", 5, refused, []uint64{6, 7, 5, 6, 7}, []bool{false, false, true, true, true}},
		{"an untagged one among tagged ones", 5, refused, []uint64{0, 5}, []bool{false, true}},
		{"the next untagged one", 0, refused, []uint64{6, 0, 6}, []bool{false, true, true}},
		{"nothing was refused", 5, &actors.Reply{Ack: actors.AckCommitted}, []uint64{6}, []bool{true}},
		{"not answered yet", 5, nil, []uint64{6}, []bool{true}},
		{"refused for something else", 5, &actors.Reply{Err: &conversation.Error{Kind: conversation.ErrInvalid}}, []uint64{6}, []bool{true}},
		{"applied all the same", 5, &actors.Reply{Ack: actors.AckApplied, Err: full}, []uint64{6}, []bool{true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := setbacks{}
			s.note("x:1", test.tag, test.reply)
			for i, tag := range test.next {
				if err := s.refuses("x:2", tag); err != nil {
					t.Errorf("another conversation is refused: %v", err)
				}
				err := s.refuses("x:1", tag)
				if goes := err == nil; goes != test.goes[i] || (err != nil && !errors.Is(err, conversation.ErrOverloaded)) {
					t.Errorf("%d, the %dth: %v, want it to go on: %v", tag, i, err, test.goes[i])
				}
			}
		})
	}
}

func TestWhatIsRefusedAgainMustComeAgain(t *testing.T) {
	s := setbacks{}
	refused := &actors.Reply{Err: &conversation.Error{Kind: conversation.ErrOverloaded}}
	s.note("x:1", 5, refused)
	if s.refuses("x:1", 5) != nil {
		t.Fatal("it may not come again")
	}
	s.note("x:1", 5, refused)
	if s.refuses("x:1", 6) == nil || s.refuses("x:1", 5) != nil || len(s) != 0 {
		t.Errorf("the second setback went otherwise than the first; left: %v", s)
	}
}
