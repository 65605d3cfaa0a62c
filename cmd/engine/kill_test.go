package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

const (
	killRounds  = 3
	killClients = 8
	killAfter   = 200 // acknowledgements, at which the process is killed in the middle of the next ones
)

func TestWhatWasAcknowledgedAsCommittedIsThereAfterAKill(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	dir := t.TempDir()
	acknowledged := make([]uint64, killClients) // the last seq, by client
	for round := range killRounds {
		p, err := launch(ctx, dir, "--data", "d")
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range acknowledged {
			if want == 0 {
				continue
			}
			got, err := dial(t, p).GetConversation(ctx, &parleyv1.GetConversationRequest{Conversation: killConversation(i)})
			if err != nil || got.GetLastSeq() < want || got.GetLastSeq() > want+1 {
				t.Errorf("round %d: %s has %d messages (%v); %d were acknowledged, and one more was perhaps under way", round, killConversation(i),
					got.GetLastSeq(), err, want)
			}
			acknowledged[i] = got.GetLastSeq()
		}
		proposeUntilKilled(ctx, t, p, acknowledged)
		if end, log := p.wait(); end != "signal: killed" {
			t.Fatalf("round %d: the process ended with %q:\n%s", round, end, log)
		}
	}
	p, err := launch(ctx, dir, "--data", "d")
	if err != nil {
		t.Fatal(err)
	}
	list, err := dial(t, p).ListConversations(ctx, &parleyv1.ListConversationsRequest{User: "ann"})
	if err != nil || len(list.GetConversations()) != killClients {
		t.Errorf("ann has %d conversations (%v), want %d", len(list.GetConversations()), err, killClients)
	}
	if err := p.signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if end, log := p.wait(); end != "" {
		t.Errorf("the last process ended with %q:\n%s", end, log)
	}
}

// proposeUntilKilled lets each client post to a conversation of its own, one message after the other, and kills the process under them.
func proposeUntilKilled(ctx context.Context, t *testing.T, p *process, acknowledged []uint64) {
	t.Helper()
	acks := make(chan struct{})
	var clients sync.WaitGroup
	for i := range acknowledged {
		client := dial(t, p)
		clients.Go(func() {
			for {
				_, err := client.Propose(ctx, &parleyv1.ProposeRequest{
					Conversation: killConversation(i),
					Change:       &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{Seq: acknowledged[i] + 1, Sender: "ann"}},
				})
				if err != nil {
					return // it was killed
				}
				acknowledged[i]++
				acks <- struct{}{}
			}
		})
	}
	go func() {
		clients.Wait()
		close(acks)
	}()
	count := 0
	for range acks {
		if count++; count == killAfter {
			if err := p.signal(os.Kill); err != nil {
				t.Error(err)
			}
		}
	}
	if count < killAfter {
		_ = p.signal(os.Kill) // it failed already
		t.Errorf("only %d messages were acknowledged before the clients gave up", count)
	}
}

func killConversation(client int) string { return fmt.Sprintf("kill:%d", client) }

// dial returns a gRPC client with a connection of its own. It is patient with a server that is stopped.
func dial(t *testing.T, p *process) parleyv1connect.ConversationServiceClient {
	t.Helper()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &protocols}, Timeout: time.Minute + 5**stopFor}
	t.Cleanup(client.CloseIdleConnections)
	return parleyv1connect.NewConversationServiceClient(client, p.url, connect.WithGRPC())
}
