package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

func TestEveryKindOfErrorHasItsCodesOverEveryWire(t *testing.T) {
	tests := []struct {
		err     conversation.Error
		code    connect.Code
		wire    parleyv1.Code
		status  int // of JSON over HTTP
		message string
	}{
		{
			conversation.Error{Kind: conversation.ErrInvalid, Conversation: "group:42", Field: "post.seq", Reason: "must not be 0"},
			connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, http.StatusBadRequest, "group:42: post.seq must not be 0",
		},
		{
			conversation.Error{Kind: conversation.ErrNotFound, Conversation: "group:42"},
			connect.CodeNotFound, parleyv1.Code_CODE_NOT_FOUND, http.StatusNotFound, "group:42",
		},
		{
			conversation.Error{Kind: conversation.ErrOverloaded, Reason: "the journal is full", RetryAfter: 30 * time.Millisecond},
			connect.CodeResourceExhausted, parleyv1.Code_CODE_OVERLOADED, http.StatusTooManyRequests, "the journal is full",
		},
		{
			conversation.Error{Kind: conversation.ErrConflict, Field: "if_generation", Reason: "is 4, the current generation is 5"},
			connect.CodeAborted, parleyv1.Code_CODE_CONFLICT, http.StatusConflict, "if_generation is 4, the current generation is 5",
		},
		{
			conversation.Error{Kind: conversation.ErrHeld},
			connect.CodeFailedPrecondition, parleyv1.Code_CODE_HELD, http.StatusBadRequest, "held",
		},
		{
			conversation.Error{Kind: conversation.ErrQuarantined},
			connect.CodeUnavailable, parleyv1.Code_CODE_QUARANTINED, http.StatusServiceUnavailable, "quarantined",
		},
		{
			conversation.Error{Kind: conversation.ErrUnavailable, Cause: errors.New("the disk is gone")},
			connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, http.StatusServiceUnavailable, "the disk is gone",
		},
		{
			conversation.Error{Kind: conversation.ErrUnavailable, Cause: persistence.ErrStoreFull},
			connect.CodeResourceExhausted, parleyv1.Code_CODE_UNAVAILABLE, http.StatusTooManyRequests, persistence.ErrStoreFull.Error(),
		},
		{
			conversation.Error{Kind: conversation.ErrMembersRequired},
			connect.CodeFailedPrecondition, parleyv1.Code_CODE_MEMBERS_REQUIRED, http.StatusBadRequest, "members required",
		},
		{
			conversation.Error{Kind: conversation.ErrInvalid, Field: "post.sender", Reason: "must not be \xff"},
			connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, http.StatusBadRequest, "post.sender must not be \uFFFD",
		},
	}
	for _, test := range tests {
		f := start(t, &fakeEngine{propose: func(context.Context, *actors.Proposal) (actors.Reply, error) {
			return actors.Reply{}, &test.err
		}})
		for wire, client := range f.wires() {
			t.Run(test.message+" over "+wire, func(t *testing.T) {
				_, err := client.Propose(t.Context(), readRequest("group:42"))
				wantRefusal(t, err, test.code, test.wire, test.err.Field, test.message)
				if got := detailOf(t, err).GetRetryAfter().AsDuration(); got != test.err.RetryAfter {
					t.Errorf("retry_after is %v, want %v", got, test.err.RetryAfter)
				}
			})
		}
		status, _ := f.post(t, "Propose", `{"conversation":"group:42","read":{"user":"ann","seq":"1"}}`)
		if status != test.status {
			t.Errorf("%v: HTTP status %d, want %d", &test.err, status, test.status)
		}
	}
}

func TestAnErrorOfNoKnownKindIsInternalAndItsCauseIsLogged(t *testing.T) {
	f := start(t, &fakeEngine{
		propose: func(context.Context, *actors.Proposal) (actors.Reply, error) {
			return actors.Reply{}, errors.New("a secret")
		},
		get: func(context.Context, string, string) (conversation.View, error) {
			return conversation.View{}, errors.New("another secret")
		},
	})
	client := f.wires()["gRPC"]
	message := internalRefusal().detail.GetMessage()
	_, err := client.Propose(t.Context(), readRequest("group:42"))
	wantRefusal(t, err, connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED, "", message)
	_, err = client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{})
	wantRefusal(t, err, connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED, "", message)
	for _, secret := range []string{`"error":"a secret"`, `"error":"another secret"`} {
		if !strings.Contains(f.log.String(), secret) {
			t.Errorf("the log lacks %s:\n%s", secret, f.log)
		}
	}
}

func TestARefusalIsNotLogged(t *testing.T) {
	f := start(t, &fakeEngine{get: func(context.Context, string, string) (conversation.View, error) {
		return conversation.View{}, &conversation.Error{Kind: conversation.ErrNotFound}
	}})
	if _, err := f.wires()["gRPC"].GetConversation(t.Context(), &parleyv1.GetConversationRequest{}); err == nil {
		t.Fatal("the call succeeded")
	}
	if f.log.Len() > 0 {
		t.Errorf("the log has:\n%s", f.log)
	}
}

func TestAPanicInOneCallIsThatCallsError(t *testing.T) {
	f := start(t, &fakeEngine{propose: func(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
		if p.Tag == 13 {
			panic("thirteen")
		}
		return actors.Reply{Tag: p.Tag}, nil
	}})
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			bad := readRequest("group:42")
			bad.Tag = 13
			_, err := client.Propose(t.Context(), bad)
			wantRefusal(t, err, connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED, "", internalRefusal().detail.GetMessage())
			if !strings.Contains(f.log.String(), `"reason":"thirteen"`) {
				t.Errorf("the log lacks the panic:\n%s", f.log)
			}
			if _, err := client.Propose(t.Context(), readRequest("group:42")); err != nil {
				t.Errorf("the next call fails: %v", err)
			}
		})
	}
}
