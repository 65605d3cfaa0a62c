package conversation_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

func TestAnErrorSaysAllItKnowsInOneLine(t *testing.T) {
	for want, err := range map[string]*conversation.Error{
		"not found": {Kind: conversation.ErrNotFound},
		"not found: group:42: no such conversation":     {Kind: conversation.ErrNotFound, Conversation: name, Reason: "no such conversation"},
		"invalid: post.seq must be at least 1":          conversation.Invalid("post.seq", "must be at least 1"),
		"conflict: group:42: if_generation is over":     {Kind: conversation.ErrConflict, Conversation: name, Field: "if_generation", Reason: "is over"},
		"overloaded: group:42":                          {Kind: conversation.ErrOverloaded, Conversation: name, RetryAfter: time.Second},
		"unavailable: group:42: EOF":                    {Kind: conversation.ErrUnavailable, Conversation: name, Cause: io.EOF},
		"quarantined: group:42: the store said no: EOF": {Kind: conversation.ErrQuarantined, Conversation: name, Reason: "the store said no", Cause: io.EOF},
		"held: group:42: a held conversation stays":     {Kind: conversation.ErrHeld, Conversation: name, Reason: "a held conversation stays"},
		"members required: group:42: post.members":      {Kind: conversation.ErrMembersRequired, Conversation: name, Field: "post.members"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAnErrorIsItsKindAndItsCause(t *testing.T) {
	kinds := []error{
		conversation.ErrInvalid, conversation.ErrNotFound, conversation.ErrOverloaded, conversation.ErrConflict, conversation.ErrHeld,
		conversation.ErrQuarantined, conversation.ErrUnavailable, conversation.ErrMembersRequired,
	}
	for i, kind := range kinds {
		var err error = &conversation.Error{Kind: kind, Cause: io.EOF}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%v is not its cause", err)
		}
		bare := error(&conversation.Error{Kind: kind})
		if errors.Is(bare, io.EOF) {
			t.Errorf("%v without a cause is one", bare)
		}
		for j, other := range kinds {
			if want := i == j; errors.Is(err, other) != want || errors.Is(bare, other) != want {
				t.Errorf("an error of kind %v is %v: %v", kind, other, errors.Is(err, other))
			}
		}
	}
}
