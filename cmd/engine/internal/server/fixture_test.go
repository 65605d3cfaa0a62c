package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// fakeEngine answers with its funcs; a call that has none fails the test's expectations by its error.
type fakeEngine struct {
	propose       func(context.Context, *actors.Proposal) (actors.Reply, error)
	proposeFunc   func(p *actors.Proposal, answer func(*actors.Reply))
	proposeBatch  func(context.Context, []*actors.Proposal) ([]actors.Reply, error)
	get           func(ctx context.Context, id, user string) (conversation.View, error)
	conversations func(context.Context, actors.ListQuery) (actors.ListPage, error)
	members       func(context.Context, actors.MembersQuery) (actors.MembersPage, error)
	badge         func(ctx context.Context, user string) (actors.Badge, error)
	sync          func(context.Context, actors.SyncQuery) (actors.SyncPage, error)
	forget        func(context.Context, string) (uint64, error)
	forgetting    func(context.Context, string) (uint64, error)
	apply         func(context.Context, string, func(actors.ApplyProgress)) (actors.ApplyProgress, error)
	preview       func(context.Context, actors.PreviewQuery) (actors.Preview, error)
	explain       func(context.Context, actors.ListQuery) (actors.ListExplanation, error)
	explainOne    func(ctx context.Context, name, user string) (*actors.ConversationExplanation, error)
	watch         func(context.Context, actors.WatchQuery) (*actors.Watch, error)
}

var errUnexpected = errors.New("the test expects no such call")

func (f *fakeEngine) Propose(ctx context.Context, p *actors.Proposal) (actors.Reply, error) {
	if f.propose == nil {
		return actors.Reply{}, errUnexpected
	}
	return f.propose(ctx, p)
}

func (f *fakeEngine) ProposeFunc(p *actors.Proposal, answer func(*actors.Reply)) {
	if f.proposeFunc == nil {
		answer(&actors.Reply{Err: errUnexpected})
		return
	}
	f.proposeFunc(p, answer)
}

func (f *fakeEngine) ProposeBatch(ctx context.Context, ps []*actors.Proposal) ([]actors.Reply, error) {
	if f.proposeBatch == nil {
		return nil, errUnexpected
	}
	return f.proposeBatch(ctx, ps)
}

func (f *fakeEngine) Get(ctx context.Context, id, user string) (conversation.View, error) {
	if f.get == nil {
		return conversation.View{}, errUnexpected
	}
	return f.get(ctx, id, user)
}

func (f *fakeEngine) Conversations(ctx context.Context, q actors.ListQuery) (actors.ListPage, error) {
	if f.conversations == nil {
		return actors.ListPage{}, errUnexpected
	}
	return f.conversations(ctx, q)
}

func (f *fakeEngine) Members(ctx context.Context, q actors.MembersQuery) (actors.MembersPage, error) {
	if f.members == nil {
		return actors.MembersPage{}, errUnexpected
	}
	return f.members(ctx, q)
}

func (f *fakeEngine) Badge(ctx context.Context, user string) (actors.Badge, error) {
	if f.badge == nil {
		return actors.Badge{}, errUnexpected
	}
	return f.badge(ctx, user)
}

func (f *fakeEngine) Sync(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
	if f.sync == nil {
		return actors.SyncPage{}, errUnexpected
	}
	return f.sync(ctx, q)
}

func (f *fakeEngine) ForgetUser(ctx context.Context, user string) (uint64, error) {
	if f.forget == nil {
		return 0, errUnexpected
	}
	return f.forget(ctx, user)
}

func (f *fakeEngine) Forgetting(ctx context.Context, user string) (uint64, error) {
	if f.forgetting == nil {
		return 0, errUnexpected
	}
	return f.forgetting(ctx, user)
}

func (f *fakeEngine) ExplainConversations(ctx context.Context, q actors.ListQuery) (actors.ListExplanation, error) {
	if f.explain == nil {
		return actors.ListExplanation{}, errUnexpected
	}
	return f.explain(ctx, q)
}

func (f *fakeEngine) ExplainConversation(ctx context.Context, name, user string) (*actors.ConversationExplanation, error) {
	if f.explainOne == nil {
		return nil, errUnexpected
	}
	return f.explainOne(ctx, name, user)
}

func (f *fakeEngine) Watch(ctx context.Context, q actors.WatchQuery) (*actors.Watch, error) {
	if f.watch == nil {
		return nil, errUnexpected
	}
	return f.watch(ctx, q)
}

// fixture is a server under test, on a port of its own.
type fixture struct {
	*Server

	url    string
	client *http.Client // HTTP/1.1
	h2c    *http.Client // HTTP/2 without TLS, which gRPC needs
	log    *strings.Builder
}

func start(t *testing.T, engine Engine) *fixture {
	t.Helper()
	f := &fixture{log: &strings.Builder{}}
	f.Server = New(zerolog.New(zerolog.SyncWriter(f.log)))
	if engine != nil {
		f.Ready(engine)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	listener := httptest.NewUnstartedServer(f.Handler())
	listener.Config.Protocols = &protocols
	listener.Start()
	t.Cleanup(listener.Close)

	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	f.url = listener.URL
	f.client = &http.Client{Transport: &http.Transport{}}
	f.h2c = &http.Client{Transport: &http.Transport{Protocols: &h2c}}
	t.Cleanup(f.client.CloseIdleConnections)
	t.Cleanup(f.h2c.CloseIdleConnections)
	return f
}

// wires returns a client for each way to speak to the server.
func (f *fixture) wires() map[string]parleyv1connect.ConversationServiceClient {
	return map[string]parleyv1connect.ConversationServiceClient{
		"gRPC":           parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPC()),
		"gRPC gzip":      parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPC(), connect.WithSendGzip()),
		"gRPC-Web":       parleyv1connect.NewConversationServiceClient(f.client, f.url, connect.WithGRPCWeb()),
		"Connect binary": parleyv1connect.NewConversationServiceClient(f.client, f.url),
		"Connect JSON":   parleyv1connect.NewConversationServiceClient(f.client, f.url, connect.WithProtoJSON()),
	}
}

// post sends a JSON body as a person with curl would, and returns the status and the answer.
func (f *fixture) post(t *testing.T, call, body string) (status int, answer string) {
	t.Helper()
	return f.send(t, call, "application/json", strings.NewReader(body))
}

func (f *fixture) send(t *testing.T, call, contentType string, body io.Reader) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/parley.v1.ConversationService/"+call, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := f.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// detailOf returns the one detail of a call's error.
func detailOf(t *testing.T, err error) *parleyv1.Error {
	t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		t.Fatalf("error is a %T (%v), want a *connect.Error", err, err)
	}
	if len(e.Details()) != 1 {
		t.Fatalf("error %v has %d details, want 1", e, len(e.Details()))
	}
	value, valueErr := e.Details()[0].Value()
	if valueErr != nil {
		t.Fatal(valueErr)
	}
	detail, ok := value.(*parleyv1.Error)
	if !ok {
		t.Fatalf("detail is a %T", value)
	}
	return detail
}

// wantRefusal checks a call's error: its Connect code, and our code, field and text, which the message of the error repeats.
func wantRefusal(t *testing.T, err error, code connect.Code, wire parleyv1.Code, field, message string) {
	t.Helper()
	if err == nil {
		t.Fatal("the call succeeded, want an error")
	}
	detail := detailOf(t, err)
	e, _ := errors.AsType[*connect.Error](err)
	if e.Code() != code || detail.GetCode() != wire || detail.GetField() != field || detail.GetMessage() != message || e.Message() != message {
		t.Errorf("refused with %v, %v, field %q, %q (error: %q)\nwant %v, %v, field %q, %q",
			e.Code(), detail.GetCode(), detail.GetField(), detail.GetMessage(), e.Message(), code, wire, field, message)
	}
}

func (f *fakeEngine) ApplyPolicies(ctx context.Context, namespace string, progress func(actors.ApplyProgress)) (actors.ApplyProgress, error) {
	return f.apply(ctx, namespace, progress)
}

func (f *fakeEngine) PreviewExpiry(ctx context.Context, q actors.PreviewQuery) (actors.Preview, error) {
	return f.preview(ctx, q)
}
