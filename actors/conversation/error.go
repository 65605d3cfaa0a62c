package conversation

import (
	"errors"
	"strings"
	"time"
)

// What a proposal or a question can be refused for. Test for them with errors.Is; the error itself is an [*Error].
var (
	ErrInvalid         = errors.New("invalid")          // a field is wrong; Error.Field names it
	ErrNotFound        = errors.New("not found")        // never known, or expired
	ErrOverloaded      = errors.New("overloaded")       // a queue or the journal is full; Error.RetryAfter says when to try again
	ErrConflict        = errors.New("conflict")         // IfGeneration is not the current generation
	ErrHeld            = errors.New("held")             // a held conversation cannot be deleted
	ErrQuarantined     = errors.New("quarantined")      // the conversation failed too often and is left alone for a while
	ErrUnavailable     = errors.New("unavailable")      // the engine is stopping or stopped, lost a shard, or could not read the store
	ErrMembersRequired = errors.New("members required") // the namespace wants Members on a post that begins a generation
)

// Error is why a proposal or a question was refused, or what kept it from being answered.
type Error struct {
	Kind         error         // one of the sentinels above
	Conversation string        // which one, where that is known
	Field        string        // for ErrInvalid and ErrConflict: the wire's name of the field, such as "post.seq"
	Reason       string        // for a person
	RetryAfter   time.Duration // for ErrOverloaded
	Cause        error         // what lies behind it, if anything
}

// Error returns all of it in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	if e.Conversation != "" {
		b.WriteString(": " + e.Conversation)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
	}
	if e.Reason != "" {
		if e.Field != "" {
			b.WriteString(" " + e.Reason)
		} else {
			b.WriteString(": " + e.Reason)
		}
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap gives errors.Is and errors.As the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Invalid returns an ErrInvalid for a field.
func Invalid(field, reason string) *Error {
	return &Error{Kind: ErrInvalid, Field: field, Reason: reason}
}
