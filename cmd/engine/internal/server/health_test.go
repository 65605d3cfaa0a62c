package server

import (
	"context"
	"io"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestReadyzFollowsTheServersLifeAndHealthzDoesNot(t *testing.T) {
	f := start(t, nil)
	want := func(path string, status int, text string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := f.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != status || string(body) != text+"\n" {
			t.Errorf("%s answers %d %q (%v), want %d %q", path, response.StatusCode, body, err, status, text)
		}
	}
	want("/healthz", http.StatusOK, "ok")
	want("/readyz", http.StatusServiceUnavailable, "starting: the store is being opened")
	f.Ready(&fakeEngine{})
	want("/readyz", http.StatusOK, "ready")
	f.Unready("draining: finishing what was accepted")
	want("/readyz", http.StatusServiceUnavailable, "draining: finishing what was accepted")
	want("/healthz", http.StatusOK, "ok")
}

func TestCallsAreRefusedAsUnavailableBeforeThereIsAnEngine(t *testing.T) {
	f := start(t, nil)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			calls := map[string]func() error{
				"Propose": func() error { _, err := client.Propose(t.Context(), readRequest("group:42")); return err },
				"ProposeBatch": func() error {
					_, err := client.ProposeBatch(t.Context(), &parleyv1.ProposeBatchRequest{})
					return err
				},
				"GetConversation": func() error {
					_, err := client.GetConversation(t.Context(), &parleyv1.GetConversationRequest{})
					return err
				},
				"ListConversations": func() error {
					_, err := client.ListConversations(t.Context(), &parleyv1.ListConversationsRequest{})
					return err
				},
				"ListMembers": func() error {
					_, err := client.ListMembers(t.Context(), &parleyv1.ListMembersRequest{})
					return err
				},
			}
			for name, call := range calls {
				t.Run(name, func(t *testing.T) {
					wantRefusal(t, call(), connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, "", "starting: the store is being opened")
				})
			}
		})
	}
}

func TestCallsStillReachAnEngineThatDrains(t *testing.T) {
	asked := false
	f := start(t, &fakeEngine{get: func(context.Context, string, string) (conversation.View, error) {
		asked = true
		return conversation.View{}, nil
	}})
	f.Unready("draining")
	if _, err := f.wires()["gRPC"].GetConversation(t.Context(), &parleyv1.GetConversationRequest{}); err != nil || !asked {
		t.Errorf("asked: %v, error %v", asked, err)
	}
}
