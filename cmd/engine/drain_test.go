package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestADrainUnderLoadAnswersWhatWasAcceptedAndLosesNothing(t *testing.T) {
	const clients, signalAfter = 8, 200
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	dir := t.TempDir()
	p, err := launch(ctx, dir, "--data", "d")
	if err != nil {
		t.Fatal(err)
	}
	var (
		acknowledged [clients]uint64
		all          atomic.Int64
		running      sync.WaitGroup
	)
	for i := range acknowledged {
		client := dial(t, p)
		running.Go(func() {
			for ctx.Err() == nil {
				_, err := client.Propose(ctx, &parleyv1.ProposeRequest{
					Conversation: fmt.Sprintf("drain:%d", i),
					Change:       &parleyv1.ProposeRequest_Post{Post: &parleyv1.Post{Seq: acknowledged[i] + 1, Sender: "ann"}},
				})
				if err != nil {
					// The engine says so, or the port is closed: either way the proposal was not accepted.
					if connect.CodeOf(err) != connect.CodeUnavailable {
						t.Errorf("client %d: %v, want unavailable", i, err)
					}
					return
				}
				acknowledged[i]++
				if all.Add(1) == signalAfter {
					if err := p.signal(syscall.SIGTERM); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	running.Wait()
	if count := all.Load(); count < signalAfter {
		t.Fatalf("only %d messages were acknowledged before the clients gave up", count)
	}
	if end, log := p.wait(); end != "" || !strings.Contains(log, `"message":"drained"`) || strings.Contains(log, `"level":"error"`) {
		t.Fatalf("the process ended with %q:\n%s", end, log)
	}
	p, err = launch(ctx, dir, "--data", "d")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range acknowledged {
		got, err := dial(t, p).GetConversation(ctx, &parleyv1.GetConversationRequest{Conversation: fmt.Sprintf("drain:%d", i)})
		if err != nil || got.GetLastSeq() != want {
			t.Errorf("client %d: %d messages are there (%v), %d were acknowledged and none was left open", i, got.GetLastSeq(), err, want)
		}
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end, log := p.wait(); end != "" {
		t.Errorf("the second process ended with %q:\n%s", end, log)
	}
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	p, err := launch(ctx, t.TempDir(), "--data", "d")
	if err != nil {
		t.Fatal(err)
	}
	// A call that never arrives whole: the process waits for it a moment once the engine has drained.
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /parley.v1.ConversationService/Propose HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"+
		"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	// The server asks for the body once it reads it: from here on there is a call under way.
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := p.logged(`"message":"drained"`); err != nil {
		t.Fatal(err)
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end, log := p.wait(); end != "exit status 1" || !strings.Contains(log, "\nengine: ended at once by a second signal: terminated\n") {
		t.Errorf("the process ended with %q:\n%s", end, log)
	}
}
