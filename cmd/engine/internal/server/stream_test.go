package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

func TestResponsesAreInTheOrderOfEachConversationWhateverOrderTheEngineAnswersIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		stream := startPiped(t, engine).open(t.Context(), t)
		sendAll(t, stream, tagged("x:1", 1), tagged("x:1", 2), tagged("x:2", 3), &parleyv1.ProposeRequest{Conversation: "x:1", Tag: 4})
		synctest.Wait()
		kept := engine.take()
		kept[1].good()
		kept[2].good()
		if r, err := stream.Receive(); err != nil || r.GetTag() != 3 || r.GetConversation() != "x:2" {
			t.Errorf("first there came %v, %v: want the answer to 3, which waits for nobody", r, err)
		}
		kept[0].good()
		var tags []uint64
		for range 3 {
			r, err := stream.Receive()
			if err != nil {
				t.Fatal(err)
			}
			tags = append(tags, r.GetTag())
			if refused := r.GetTag() == 4; refused != (r.GetError().GetField() == "change") {
				t.Errorf("answer %d: %v", r.GetTag(), r)
			}
		}
		if diff := cmp.Diff([]uint64{1, 2, 4}, tags); diff != "" {
			t.Errorf("then (-want +got):\n%s", diff)
		}
		wantGoodEnd(t, stream)
	})
}

// wantGoodEnd closes the client's side and expects nothing more than a good end.
func wantGoodEnd(t *testing.T, stream *clientStream) {
	t.Helper()
	if err := stream.CloseRequest(); err != nil {
		t.Fatal(err)
	}
	if rest, err := ended(t, stream); err != nil || len(rest) > 0 {
		t.Errorf("the stream ended with %v after %v", err, rest)
	}
}

func TestAStreamThatItsClientClosesEndsWellOnceEverythingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		f := startPiped(t, engine)
		stream := f.open(t.Context(), t)
		sendAll(t, stream, tagged("x:1", 1), tagged("x:2", 2))
		if err := stream.CloseRequest(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, p := range engine.take() {
			p.good()
		}
		responses, err := ended(t, stream)
		if err != nil || len(responses) != 2 {
			t.Errorf("the stream ended with %v after %d answers, want 2", err, len(responses))
		}
		f.calls.Wait()
	})
}

func TestAStreamIsReadNoFurtherThanItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		stream := startPiped(t, engine).open(t.Context(), t)
		go func() {
			for tag := range uint64(2 * streamWindow) {
				if stream.Send(tagged(fmt.Sprint("x:", tag%7), tag)) != nil {
					return
				}
			}
			_ = stream.CloseRequest() // the rest of the test fails where this does
		}()
		synctest.Wait()
		kept := engine.take()
		if len(kept) != streamWindow {
			t.Fatalf("%d proposals were read of a client that gets no answers, want %d", len(kept), streamWindow)
		}
		kept[0].good()
		synctest.Wait()
		more := engine.take()
		if len(more) != 1 {
			t.Fatalf("after one answer %d more were read, want 1", len(more))
		}
		for kept = append(kept[1:], more...); len(kept) > 0; kept = engine.take() {
			for _, p := range kept {
				p.good()
			}
			synctest.Wait()
		}
		if responses, err := ended(t, stream); err != nil || len(responses) != 2*streamWindow {
			t.Errorf("the stream ended with %v after %d answers, want %d", err, len(responses), 2*streamWindow)
		}
	})
}

func TestLargeProposalsFillTheWindowByTheirBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		ctx, cancel := context.WithCancel(t.Context())
		f := startPiped(t, engine)
		stream := f.open(ctx, t)
		large := postRequest("x:1", &parleyv1.Post{Seq: 1, Sender: strings.Repeat("x", 1<<20)}) // which the engine would refuse
		go func() {
			for stream.Send(large) == nil {
			}
		}()
		synctest.Wait()
		kept := engine.take()
		if len(kept) != streamBytes>>20 {
			t.Errorf("%d proposals of a MiB were read, want %d", len(kept), streamBytes>>20)
		}
		cancel()
		for _, p := range kept {
			p.good()
		}
		f.calls.Wait()
	})
}

func TestAClientThatNeverReadsIsHeldBackAndThenLosesItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		f := startPiped(t, e.Engine)
		stream := f.open(t.Context(), t)
		sent := make(chan error, 1)
		go func() {
			var err error
			for seq := uint64(1); err == nil; seq++ {
				err = stream.Send(postRequest("x:1", &parleyv1.Post{Seq: seq, Sender: "ann"}))
			}
			sent <- err
		}()
		synctest.Wait()
		received := e.Stats().Proposals.Received
		// What the client's own 64 KiB of buffer hold was answered, and a window of others waits.
		if most := uint64(streamWindow + (64<<10)/20); received < streamWindow || received > most {
			t.Errorf("%d proposals were taken from a client that does not read, want %d to %d", received, streamWindow, most)
		}
		time.Sleep(streamPatience + time.Second) // virtual: until the client has had its time
		f.calls.Wait()
		if err := <-sent; err == nil {
			t.Error("the client goes on sending")
		}
		if after := e.Stats().Proposals; after.Received != received || after.Waiting != 0 {
			t.Errorf("afterwards: %+v, want no more than %d received and none waiting", after, received)
		}
	})
}

func TestAStreamOutlivesTheLimitsOfTheHTTPServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		stream := startPiped(t, e.Engine).open(t.Context(), t)
		for seq := range uint64(3) {
			sendAll(t, stream, postRequest("x:1", &parleyv1.Post{Seq: seq + 1, Sender: "ann"}))
			if r, err := stream.Receive(); err != nil || r.GetLastSeq() != seq+1 {
				t.Fatalf("after %d times an hour: %v, %v", seq, r, err)
			}
			time.Sleep(time.Hour) // virtual: longer than any limit
		}
		wantGoodEnd(t, stream)
	})
}

func TestAClientThatGoesLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		f := startPiped(t, engine)
		ctx, cancel := context.WithCancel(t.Context())
		stream := f.open(ctx, t)
		sendAll(t, stream, tagged("x:1", 1), tagged("x:1", 2))
		synctest.Wait()
		kept := engine.take()
		kept[0].good()
		cancel()
		synctest.Wait()
		done := make(chan struct{})
		go func() {
			f.calls.Wait()
			close(done)
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("the call ended while the engine had a proposal of it")
		default:
		}
		kept[1].good()
		<-done
		if f.log.Len() > 0 {
			t.Errorf("the log has:\n%s", f.log)
		}
	})
}

func TestADrainAnswersWhatAStreamHasOutstandingAndThenEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &patientEngine{}
		f := startPiped(t, engine)
		stream := f.open(t.Context(), t)
		sendAll(t, stream, tagged("x:1", 1), tagged("x:2", 2))
		synctest.Wait()
		f.Unready("draining: nothing new is taken")
		synctest.Wait()
		for _, p := range engine.take() {
			p.good()
		}
		responses, err := ended(t, stream)
		if len(responses) != 2 {
			t.Errorf("%d proposals were answered, want 2", len(responses))
		}
		wantRefusal(t, err, connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, "", "draining: nothing new is taken")
		f.calls.Wait()
		_, err = ended(t, f.open(t.Context(), t))
		wantRefusal(t, err, connect.CodeUnavailable, parleyv1.Code_CODE_UNAVAILABLE, "", "draining: nothing new is taken")
	})
}

func TestAnEngineThatStopsRefusesWhatAStreamBrings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		stream := startPiped(t, e.Engine).open(t.Context(), t)
		sendAll(t, stream, postRequest("x:1", &parleyv1.Post{Seq: 1, Sender: "ann"}))
		if r, err := stream.Receive(); err != nil || r.GetError() != nil {
			t.Fatalf("%v, %v", r, err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		sendAll(t, stream, postRequest("x:1", &parleyv1.Post{Seq: 2, Sender: "ann"}))
		if r, err := stream.Receive(); err != nil || r.GetError().GetCode() != parleyv1.Code_CODE_UNAVAILABLE {
			t.Errorf("after the engine's end: %v, %v, want unavailable", r, err)
		}
		wantGoodEnd(t, stream)
	})
}

func TestAPanicEndsItsStreamAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startPiped(t, &fakeEngine{proposeFunc: func(p *actors.Proposal, answer func(*actors.Reply)) {
			if p.Tag == 13 {
				panic("thirteen")
			}
			answer(&actors.Reply{Tag: p.Tag})
		}})
		stream := f.open(t.Context(), t)
		sendAll(t, stream, tagged("x:1", 12), tagged("x:1", 13))
		responses, err := ended(t, stream)
		if len(responses) != 2 || responses[1].GetError().GetMessage() != internalRefusal().detail.GetMessage() {
			t.Errorf("answers: %v", responses)
		}
		wantRefusal(t, err, connect.CodeInternal, parleyv1.Code_CODE_UNSPECIFIED, "", internalRefusal().detail.GetMessage())
		if !strings.Contains(f.log.String(), `"reason":"thirteen"`) {
			t.Errorf("the log lacks the panic:\n%s", f.log)
		}
	})
}

func TestTooManyConversationsInSetbackEndTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := startPiped(t, &fakeEngine{proposeFunc: func(p *actors.Proposal, answer func(*actors.Reply)) {
			answer(&actors.Reply{Conversation: p.Conversation, Tag: p.Tag, Err: &conversation.Error{Kind: conversation.ErrOverloaded, RetryAfter: time.Second}})
		}}).open(t.Context(), t)
		go func() {
			for i := range uint64(2 * streamWindow) {
				if stream.Send(tagged(fmt.Sprint("x:", i), i+1)) != nil {
					return
				}
			}
		}()
		responses, err := ended(t, stream)
		if len(responses) != streamWindow+1 {
			t.Errorf("%d proposals were answered, want all %d that were read", len(responses), streamWindow+1)
		}
		wantRefusal(t, err, connect.CodeResourceExhausted, parleyv1.Code_CODE_OVERLOADED, "",
			"more than 1024 conversations of the stream wait for their refused proposals to be sent again")
	})
}

// streamWires returns a client for each way to stream.
func (f *fixture) streamWires() map[string]parleyv1connect.ConversationServiceClient {
	return map[string]parleyv1connect.ConversationServiceClient{
		"gRPC":           parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPC()),
		"gRPC gzip":      parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPC(), connect.WithSendGzip()),
		"gRPC-Web":       parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithGRPCWeb()),
		"Connect binary": parleyv1connect.NewConversationServiceClient(f.h2c, f.url),
		"Connect JSON":   parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithProtoJSON()),
	}
}

func TestAStreamAnswersAlikeOverEveryWire(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.streamWires() {
		t.Run(wire, func(t *testing.T) {
			stream, err := client.ProposeStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			name := "wire:" + wire
			join := &parleyv1.ProposeRequest{Conversation: name, Tag: 9, Change: &parleyv1.ProposeRequest_Join{Join: &parleyv1.Join{}}}
			post := postRequest(name, &parleyv1.Post{Seq: 1, Sender: "ann"})
			post.Tag = 8
			sendAll(t, stream, post, join)
			if r, err := stream.Receive(); err != nil || r.GetTag() != 8 || r.GetLastSeq() != 1 || r.GetAck() != parleyv1.Ack_ACK_COMMITTED {
				t.Errorf("a post: %v, %v", r, err)
			}
			if r, err := stream.Receive(); err != nil || r.GetTag() != 9 || r.GetError().GetField() != "join.users" {
				t.Errorf("a join of nobody: %v, %v", r, err)
			}
			wantGoodEnd(t, stream)
		})
	}
}

func TestAMessageThatDoesNotDecodeIsAnsweredAndTheStreamGoesOn(t *testing.T) {
	f := start(t, &fakeEngine{})
	client := parleyv1connect.NewConversationServiceClient(f.h2c, f.url, connect.WithCodec(garbageCodec{}))
	stream, err := client.ProposeStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sendAll(t, stream, tagged("x:1", 1))
		if r, err := stream.Receive(); err != nil || r.GetError().GetCode() != parleyv1.Code_CODE_INVALID || r.GetError().GetField() != "nonsense" {
			t.Errorf("answered with %v, %v", r, err)
		}
	}
	wantGoodEnd(t, stream)
}

func TestAMessageOfAStreamThatIsTooLargeEndsIt(t *testing.T) {
	f := start(t, &fakeEngine{})
	for wire, client := range f.streamWires() {
		if wire == "gRPC gzip" || wire == "Connect JSON" {
			continue // of another size
		}
		t.Run(wire, func(t *testing.T) {
			stream, err := client.ProposeStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_ = stream.Send(sized(t, MaxBody+1)) // the end may overtake it
			_, err = ended(t, stream)
			wantRefusal(t, err, connect.CodeResourceExhausted, parleyv1.Code_CODE_INVALID, "body", "body must be at most 4194304 bytes")
		})
	}
}

func TestAStreamOverHTTP1IsRefusedWithWhatItNeeds(t *testing.T) {
	f := start(t, &fakeEngine{})
	for _, contentType := range []string{"application/json", "application/connect+json", "application/grpc-web"} {
		status, answer := f.send(t, "ProposeStream", contentType, strings.NewReader("{}"))
		if status != http.StatusHTTPVersionNotSupported || !strings.Contains(answer, "ProposeStream needs HTTP/2") {
			t.Errorf("%s: status %d: %s", contentType, status, answer)
		}
	}
}
