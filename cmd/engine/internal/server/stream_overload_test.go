package server

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence/persistencetest"
)

var streamPosts = flag.Uint64("posts", 40, "how many messages each of 50 conversations gets over a stream under overload")

// goBackClient posts to many conversations over one stream, as fast as it may, and goes back to what was refused as overloaded. Tags are seqs.
type goBackClient struct {
	stream *clientStream
	last   uint64 // of each conversation
	ahead  uint64 // how many of a conversation's may be unanswered

	mu        sync.Mutex
	moved     *sync.Cond
	next      []uint64 // to be sent, by conversation
	answered  []uint64 // the last one that was applied
	refused   int
	failed    error
	remaining int
}

func newGoBackClient(stream *clientStream, conversations int, last, ahead uint64) *goBackClient {
	c := &goBackClient{
		stream: stream, last: last, ahead: ahead,
		next: make([]uint64, conversations), answered: make([]uint64, conversations), remaining: conversations,
	}
	c.moved = sync.NewCond(&c.mu)
	for i := range c.next {
		c.next[i] = 1
	}
	return c
}

// send sends until everything is answered.
func (c *goBackClient) send() {
	for at := 0; ; at++ {
		seq, i, ok := c.choose(at)
		if !ok {
			_ = c.stream.CloseRequest() // receive sees how it ends
			return
		}
		at = i
		request := postRequest(fmt.Sprint("x:", i), &parleyv1.Post{Seq: seq, Sender: "ann"})
		request.Tag, request.Ack, request.Origin = seq, parleyv1.Ack_ACK_APPLIED, fmt.Sprint(i)
		if c.stream.Send(request) != nil {
			return
		}
	}
}

// choose waits for something to send, from the conversation at on, and takes it.
func (c *goBackClient) choose(at int) (seq uint64, i int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.remaining > 0 && c.failed == nil {
		for j := range c.next {
			i := (at + j) % len(c.next)
			if seq := c.next[i]; seq <= c.last && seq <= c.answered[i]+c.ahead {
				c.next[i]++
				return seq, i, true
			}
		}
		c.moved.Wait()
	}
	return 0, 0, false
}

// receive takes answers until the stream ends.
func (c *goBackClient) receive() {
	for {
		r, err := c.stream.Receive()
		c.mu.Lock()
		if err == nil {
			err = c.take(r)
		}
		if err != nil && c.failed == nil {
			c.failed = err
		}
		c.mu.Unlock()
		c.moved.Signal()
		if err != nil {
			return
		}
	}
}

// take sees one answer. Those of a conversation come in order, so the first refusal is of the one after the last that was applied.
func (c *goBackClient) take(r *parleyv1.ProposeResponse) error {
	var i int
	if _, err := fmt.Sscanf(r.GetConversation(), "x:%d", &i); err != nil {
		return err
	}
	expected := c.answered[i] + 1
	switch {
	case r.GetError().GetCode() == parleyv1.Code_CODE_OVERLOADED:
		c.refused++
		if r.GetTag() < expected {
			return fmt.Errorf("%v: %d was applied already", r, r.GetTag())
		}
		if r.GetTag() == expected {
			c.next[i] = expected
		}
	case r.GetError() != nil || r.GetTag() != expected || r.GetLastSeq() != expected || r.GetVersion() != expected || !r.GetChanged():
		return fmt.Errorf("%v: want post %d", r, expected)
	default:
		c.answered[i] = expected
		if expected == c.last {
			c.remaining--
		}
	}
	return nil
}

// untilOverloaded returns once the engine has refused something as overloaded.
func untilOverloaded(ctx context.Context, engine *actors.Engine) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for engine.Stats().Proposals.Overloaded == 0 {
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func TestAfterOverloadEveryConversationHasExactlyItsPostsInOrder(t *testing.T) {
	const conversations = 50
	posts := *streamPosts
	store := persistencetest.NewStore()
	engine, err := actors.Start(t.Context(), nil, store, actors.Config{MaxQueue: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f := start(t, engine)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// However slow the machine is that sends: no conversation is read from the store, so that its queue fills, until one was refused.
	store.SetFaults(persistencetest.Faults{Get: func([]byte) error { return untilOverloaded(ctx, engine) }})
	stream, err := f.streamWires()["gRPC"].ProposeStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	client := newGoBackClient(stream, conversations, posts, 12)
	var sender sync.WaitGroup
	sender.Go(client.send)
	client.receive()
	sender.Wait()
	if client.remaining > 0 {
		t.Fatalf("%d conversations are not done: %v", client.remaining, client.failed)
	}
	if client.refused == 0 {
		t.Error("nothing was refused: the test did not see what it is for")
	}
	for i := range conversations {
		view, err := engine.Get(t.Context(), fmt.Sprint("x:", i), "ann")
		if err != nil || view.LastSeq != posts || view.Version != posts {
			t.Errorf("conversation %d: last seq %d, version %d, %v; want %d", i, view.LastSeq, view.Version, err, posts)
		}
	}
	if p := engine.Stats().Proposals; p.Applied != conversations*posts || p.Received != p.Applied+p.Refused {
		t.Errorf("proposals: %+v, want %d applied", p, conversations*posts)
	}
	t.Logf("%d proposals refused as overloaded on the way", client.refused)
}
