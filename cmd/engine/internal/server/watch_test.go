package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
	"github.com/parley-im/parley/persistence"
)

// watch begins a watch and returns once the server has said that it has.
func watch(
	t *testing.T, client parleyv1connect.ConversationServiceClient, request *parleyv1.WatchRequest,
) *connect.ServerStreamForClient[parleyv1.Event] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	events, err := client.Watch(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	if began := next(t, events); began.GetBegan() == nil || began.GetCursor() == "" || began.GetAt() == nil {
		t.Fatalf("the first event is %v, want one that says where the watch begins", began)
	}
	return events
}

func next(t *testing.T, events *connect.ServerStreamForClient[parleyv1.Event]) *parleyv1.Event {
	t.Helper()
	if !events.Receive() {
		t.Fatalf("the stream ended: %v", events.Err())
	}
	return events.Msg()
}

func TestAWatchThatEndsBeforeAnythingHappenedIsResumedFromWhereItBegan(t *testing.T) {
	f, _ := startReal(t)
	client := f.wires()["gRPC"]
	first, err := client.Watch(t.Context(), &parleyv1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	cursor := next(t, first).GetCursor()
	_ = first.Close()
	if _, err := client.Propose(t.Context(), postRequest("group:42", &parleyv1.Post{Seq: 1, Sender: "ann"})); err != nil {
		t.Fatal(err)
	}
	if got := next(t, watch(t, client, &parleyv1.WatchRequest{Cursor: cursor})); got.GetConversation() != "group:42" {
		t.Errorf("resumed, the watch tells %v, want the change since", got)
	}
}

func TestAWatchStreamsEventsOverEveryWire(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			namespace := strings.ReplaceAll(wire, " ", "-")
			name := namespace + ":1"
			events := watch(t, client, &parleyv1.WatchRequest{Namespaces: []string{namespace}})
			request := postRequest(name, &parleyv1.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}})
			request.Origin = "phone"
			posted, err := client.Propose(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			first := next(t, events)
			want := &parleyv1.Event{Conversation: name, Generation: posted.GetGeneration(), Kind: &parleyv1.Event_Changed{
				Changed: &parleyv1.Changed{Version: 1, LastSeq: 1, Kinds: []string{"post"}, Origin: "phone"},
			}}
			ignored := protocmp.IgnoreFields(&parleyv1.Event{}, "cursor", "at")
			if diff := cmp.Diff(want, first, protocmp.Transform(), ignored); diff != "" || first.GetCursor() == "" || first.GetAt() == nil {
				t.Errorf("the post (-want +got):\n%s", diff)
			}
			if err := events.Close(); err != nil && connect.CodeOf(err) != connect.CodeCanceled {
				t.Error(err)
			}

			if _, err := client.Propose(t.Context(), &parleyv1.ProposeRequest{
				Conversation: name, IfGeneration: posted.GetGeneration(), Change: &parleyv1.ProposeRequest_Delete{Delete: &parleyv1.Delete{}},
			}); err != nil {
				t.Fatal(err)
			}
			events = watch(t, client, &parleyv1.WatchRequest{Cursor: first.GetCursor(), Namespaces: []string{namespace}})
			if got := next(t, events).GetChanged(); !cmp.Equal(got.GetKinds(), []string{"delete"}) {
				t.Errorf("then: %v, want the deletion proposed", got)
			}
			if got := next(t, events).GetExpired(); got.GetReason() != parleyv1.Reason_REASON_DELETED || got.GetLastSeq() != 1 || got.GetDeadline() == nil ||
				!cmp.Equal(got.GetUsers(), []string{"ann", "bob"}) {
				t.Errorf("in the end: %v, want the deletion of ann's and bob's conversation", got)
			}
			_ = events.Close() // it is cut off
		})
	}
}

func TestABadCursorIsRefusedOverEveryWire(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			events, err := client.Watch(t.Context(), &parleyv1.WatchRequest{Cursor: "nonsense"})
			if err != nil {
				t.Fatal(err)
			}
			defer events.Close()
			if events.Receive() {
				t.Fatalf("it streams %v", events.Msg())
			}
			wantRefusal(t, events.Err(), connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "cursor", "cursor is not one that the engine gave")
		})
	}
}

func TestAWatchEndsAsUnavailableWhenTheEngineStops(t *testing.T) {
	f, engine := startReal(t)
	streams := map[string]*connect.ServerStreamForClient[parleyv1.Event]{}
	for wire, client := range f.wires() {
		streams[wire] = watch(t, client, &parleyv1.WatchRequest{})
	}
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for wire, events := range streams {
		if events.Receive() {
			t.Errorf("over %s it streams %v", wire, events.Msg())
		}
		if err := events.Err(); connect.CodeOf(err) != connect.CodeUnavailable || detailOf(t, err).GetCode() != parleyv1.Code_CODE_UNAVAILABLE ||
			!strings.Contains(err.Error(), actors.ErrStopped.Error()) {
			t.Errorf("over %s it ended with %v, want unavailable because the engine has stopped", wire, err)
		}
		_ = events.Close()
	}
}

// limited starts the server on a port whose connections have the limits that are given.
func limited(t *testing.T, s *Server, limit time.Duration) (url string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	door := &http.Server{Handler: s.Handler(), Protocols: &protocols, ReadTimeout: limit, WriteTimeout: limit, ReadHeaderTimeout: limit}
	served := make(chan error, 1)
	go func() { served <- door.Serve(listener) }()
	t.Cleanup(func() {
		_ = door.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func TestAWatchOutlivesTheLimitsOfItsConnection(t *testing.T) {
	const limit = 200 * time.Millisecond
	f, engine := startReal(t)
	url := limited(t, f.Server, limit)
	clients := map[string]parleyv1connect.ConversationServiceClient{
		"gRPC":     parleyv1connect.NewConversationServiceClient(f.h2c, url, connect.WithGRPC()),
		"gRPC-Web": parleyv1connect.NewConversationServiceClient(f.client, url, connect.WithGRPCWeb()),
		"Connect":  parleyv1connect.NewConversationServiceClient(f.client, url),
	}
	streams := map[string]*connect.ServerStreamForClient[parleyv1.Event]{}
	for wire, client := range clients {
		streams[wire] = watch(t, client, &parleyv1.WatchRequest{})
	}
	// Real time, as sockets keep a bubble's from moving: the limits must have gone by.
	over := time.NewTimer(3 * limit)
	<-over.C
	proposal, err := proposalOf(postRequest("group:42", &parleyv1.Post{Seq: 1, Sender: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Propose(t.Context(), proposal); err != nil {
		t.Fatal(err)
	}
	for wire, events := range streams {
		if got := next(t, events); got.GetConversation() != "group:42" {
			t.Errorf("over %s: %v", wire, got)
		}
		_ = events.Close()
	}
}

func TestAWatcherThatDoesNotReadKeepsNobodyFromStopping(t *testing.T) {
	f, engine := startReal(t)
	listener := newPipes()
	door := &http.Server{Handler: f.Handler(), ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = door.Serve(listener)
	}()
	transport := &http.Transport{DialContext: listener.dial}
	stuck := watch(t, parleyv1connect.NewConversationServiceClient(&http.Client{Transport: transport}, pipeURL), &parleyv1.WatchRequest{})
	ps := make([]*actors.Proposal, 1000)
	for i := range ps {
		proposal, err := proposalOf(postRequest(fmt.Sprintf("%s:%d", strings.Repeat("long", 50), i), &parleyv1.Post{Seq: 1, Sender: "ann"}))
		if err != nil {
			t.Fatal(err)
		}
		ps[i] = proposal
	}
	if _, err := engine.ProposeBatch(t.Context(), ps); err != nil {
		t.Fatal(err)
	}
	next(t, stuck) // it is being written to; that is all it reads
	began := time.Now()
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), partingTimeout+10*time.Second)
	defer cancel()
	if err := door.Shutdown(ctx); err != nil {
		t.Errorf("after %v the server still waits for a watcher that does not read: %v", time.Since(began), err)
	}
	_ = door.Close()
	<-served
	_ = stuck.Close()
	transport.CloseIdleConnections()
}

func TestEveryKindOfEventHasItsPlaceOnTheWire(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	for _, test := range []struct {
		event actors.Event
		want  *parleyv1.Event
	}{
		{
			actors.Event{Cursor: "c", At: at, Gap: &actors.Gap{Changed: true}},
			&parleyv1.Event{Cursor: "c", At: timestampOf(at), Kind: &parleyv1.Event_Gap{Gap: &parleyv1.Gap{Changed: true}}},
		},
		{
			actors.Event{Cursor: "c", At: at, Gap: &actors.Gap{Expired: true}},
			&parleyv1.Event{Cursor: "c", At: timestampOf(at), Kind: &parleyv1.Event_Gap{Gap: &parleyv1.Gap{Expired: true}}},
		},
		{
			actors.Event{Cursor: "c", At: at, Conversation: "g:1", Generation: 7, Expired: &actors.Expired{
				Reason: persistence.ReasonExpired, LastSeq: 3, Users: []string{"ann"}, UsersTruncated: true, Deadline: at, Lateness: time.Second,
			}},
			&parleyv1.Event{Cursor: "c", At: timestampOf(at), Conversation: "g:1", Generation: 7, Kind: &parleyv1.Event_Expired{Expired: &parleyv1.Expired{
				Reason: parleyv1.Reason_REASON_EXPIRED, LastSeq: 3, Users: []string{"ann"}, UsersTruncated: true, Deadline: timestampOf(at),
				Lateness: durationpb.New(time.Second),
			}}},
		},
		{
			actors.Event{Cursor: "c", At: at, Conversation: "g:1", Generation: 7, Changed: &actors.Changed{
				Version: 2, LastSeq: 3, Kinds: []string{"read"}, Users: []string{"ann"}, Origin: "o",
			}},
			&parleyv1.Event{Cursor: "c", At: timestampOf(at), Conversation: "g:1", Generation: 7, Kind: &parleyv1.Event_Changed{Changed: &parleyv1.Changed{
				Version: 2, LastSeq: 3, Kinds: []string{"read"}, Users: []string{"ann"}, Origin: "o",
			}}},
		},
	} {
		if diff := cmp.Diff(test.want, eventOf(&test.event), protocmp.Transform()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
