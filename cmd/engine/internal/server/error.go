package server

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// refusal is an error in the words of the wire: what a call fails with, and what an item of a batch carries.
type refusal struct {
	code   connect.Code
	detail *parleyv1.Error
}

// refusalOf translates what the engine answered under ctx. Every kind has its own pair of codes, but for a full store, which is
// ResourceExhausted whatever was refused because of it. What is of no known kind is Internal: it is the engine's fault, not the caller's.
func refusalOf(ctx context.Context, err error) refusal {
	if cause := ctx.Err(); cause != nil && errors.Is(err, cause) {
		return endedRefusal(cause, "the call ended before its answer")
	}
	e, ok := errors.AsType[*conversation.Error](err)
	if !ok {
		return internalRefusal()
	}
	code, wire := codesOf(e.Kind)
	if errors.Is(err, persistence.ErrStoreFull) {
		code = connect.CodeResourceExhausted
	}
	detail := &parleyv1.Error{Code: wire, Field: valid(e.Field), Message: valid(messageOf(e))}
	if e.RetryAfter > 0 {
		detail.RetryAfter = durationpb.New(e.RetryAfter)
	}
	return refusal{code: code, detail: detail}
}

// codesOf returns Connect's and our own code for a kind. A conflict is Aborted: whoever named a generation reads the conversation again and
// decides anew. Held and members required are FailedPrecondition: repeating the same is of no use until somebody acts.
func codesOf(kind error) (connect.Code, parleyv1.Code) {
	switch {
	case errors.Is(kind, conversation.ErrInvalid):
		return connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID
	case errors.Is(kind, conversation.ErrNotFound):
		return connect.CodeNotFound, parleyv1.Code_CODE_NOT_FOUND
	case errors.Is(kind, conversation.ErrOverloaded):
		return connect.CodeResourceExhausted, parleyv1.Code_CODE_OVERLOADED
	case errors.Is(kind, conversation.ErrConflict):
		return connect.CodeAborted, parleyv1.Code_CODE_CONFLICT
	case errors.Is(kind, conversation.ErrHeld):
		return connect.CodeFailedPrecondition, parleyv1.Code_CODE_HELD
	case errors.Is(kind, conversation.ErrQuarantined):
		return connect.CodeUnavailable, parleyv1.Code_CODE_QUARANTINED
	case errors.Is(kind, conversation.ErrUnavailable):
		return connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE
	case errors.Is(kind, conversation.ErrMembersRequired):
		return connect.CodeFailedPrecondition, parleyv1.Code_CODE_MEMBERS_REQUIRED
	}
	return connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED
}

// endedRefusal is the answer to a call whose caller went away or ran out of time.
func endedRefusal(cause error, message string) refusal {
	code := connect.CodeCanceled
	if errors.Is(cause, context.DeadlineExceeded) {
		code = connect.CodeDeadlineExceeded
	}
	return refusal{code: code, detail: &parleyv1.Error{Code: parleyv1.Code_CODE_UNAVAILABLE, Message: message}}
}

// internalRefusal says nothing of the cause: that is for the log.
func internalRefusal() refusal {
	return refusal{code: connect.CodeInternal, detail: &parleyv1.Error{Message: "internal error: the engine's log has the cause"}}
}

// connectError returns the refusal as Connect sends it: the code, the message, and the whole as a detail.
func (r refusal) connectError() *connect.Error {
	err := connect.NewError(r.code, errors.New(r.detail.GetMessage()))
	if detail, failed := connect.NewErrorDetail(r.detail); failed == nil {
		err.AddDetail(detail)
	}
	return err
}

// messageOf is the error without its kind, which the code tells already.
func messageOf(e *conversation.Error) string {
	return strings.TrimPrefix(e.Error(), e.Kind.Error()+": ")
}

// valid makes a string fit for a protobuf message: what a caller sent may be quoted in it.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
