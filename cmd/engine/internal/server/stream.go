package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// streamPatience is how long a client may take to receive a burst of responses.
const streamPatience = 2 * time.Minute

// proposals is a ProposeStream as its handler sees it.
type proposals = connect.BidiStream[parleyv1.ProposeRequest, parleyv1.ProposeResponse]

// ProposeStream applies changes as they come, and answers each once it has reached its ack level: in order per conversation, whatever order the engine answers in.
//
// It stops reading while the [window] is full, so that a client that sends faster than its proposals are answered, or does not receive the answers, is held back by
// HTTP/2 and not by this process's memory. After a proposal was refused as overloaded, those of its conversation that follow are refused until it comes again;
// see [setbacks]. Messages that cannot be proposed are answered like the others, in their conversation's order.
//
// It returns when the client has closed its side, or is gone; when the server is no longer ready; when a message is too large or broken; or when more
// than streamWindow conversations wait to be sent again. Before it returns, everything that was read has been answered by the engine, and sent unless the client is
// gone: the goroutine that sends ends first.
func (s *service) ProposeStream(ctx context.Context, stream *proposals) error {
	at := s.server.state.Load()
	if at.reason != "" {
		return s.refuse(ctx, "ProposeStream", &conversation.Error{Kind: conversation.ErrUnavailable, Reason: at.reason})
	}
	p := &proposeStream{service: s, at: at, stream: stream, limits: limitsOf(ctx), window: newWindow(), setbacks: setbacks{}}
	var sender sync.WaitGroup
	sender.Go(func() { p.send(ctx) })
	defer sender.Wait()
	defer p.window.close()
	return p.receive(ctx)
}

// proposeStream is one stream.
type proposeStream struct {
	service  *service
	at       *state
	stream   *proposals
	limits   *streamLimits
	window   *window
	setbacks setbacks
	broken   bool // nothing can be sent any more
}

// receive proposes what comes until the stream ends, and returns what it ends with.
func (p *proposeStream) receive(ctx context.Context) error {
	for p.window.wait(ctx, p.at.over) {
		request, err := p.stream.Receive()
		if malformed, ok := errors.AsType[*malformedError](err); ok {
			p.window.answer(p.window.add("", 0), nil, malformed.detail)
			continue
		}
		if err != nil {
			return p.ending(ctx, err)
		}
		p.propose(request)
		if len(p.setbacks) > streamWindow {
			return refusalOf(ctx, &conversation.Error{
				Kind:   conversation.ErrOverloaded,
				Reason: fmt.Sprintf("more than %d conversations of the stream wait for their refused proposals to be sent again", streamWindow),
			}).connectError()
		}
	}
	return p.ending(ctx, nil)
}

// propose has one proposal applied, or refused.
func (p *proposeStream) propose(request *parleyv1.ProposeRequest) {
	name, tag := request.GetConversation(), request.GetTag()
	place := p.window.add(name, proto.Size(request))
	refuse := func(err error) { p.window.answer(place, &actors.Reply{Conversation: name, Tag: tag, Err: err}, nil) }
	if err := p.setbacks.refuses(name, tag); err != nil {
		refuse(err)
		return
	}
	proposal, err := proposalOf(request)
	if err != nil {
		refuse(err)
		return
	}
	defer func() {
		if reason := recover(); reason != nil {
			if p.window.replied(place) == nil {
				refuse(fmt.Errorf("proposing panicked: %v", reason))
			}
			panic(reason) // Connect logs it, and ends the call
		}
	}()
	p.at.engine.ProposeFunc(proposal, func(reply *actors.Reply) {
		kept := *reply
		p.window.answer(place, &kept, nil)
	})
	p.setbacks.note(name, tag, p.window.replied(place))
}

// ending translates why nothing more is read into what the stream ends with.
func (p *proposeStream) ending(ctx context.Context, err error) error {
	if err != nil && errors.Is(err, io.EOF) {
		return nil // the client has closed its side
	}
	select {
	case <-p.at.over:
		return refusalOf(ctx, &conversation.Error{Kind: conversation.ErrUnavailable, Reason: p.service.server.state.Load().reason}).connectError()
	default:
	}
	switch cause := ctx.Err(); {
	case cause != nil:
		return endedRefusal(cause, unknownOutcome).connectError()
	case connect.CodeOf(err) == connect.CodeResourceExhausted:
		return tooLarge()
	}
	return refusal{code: connect.CodeInvalidArgument, detail: fault("body", "is no whole message: "+messageIn(err))}.connectError()
}

// messageIn returns the text of Connect's error without its code.
func messageIn(err error) string {
	if e, ok := errors.AsType[*connect.Error](err); ok {
		return e.Message()
	}
	return "it broke off"
}

// send sends responses until there will be no more, and sees to it that receive ends.
func (p *proposeStream) send(ctx context.Context) {
	over, gone := p.at.over, ctx.Done()
	for {
		ready, done := p.window.take()
		switch {
		case len(ready) > 0:
			p.burst(ctx, ready)
			continue
		case done:
			return
		}
		select {
		case <-p.window.answered:
		case <-over:
			over = nil
			p.limits.stopReading()
		case <-gone:
			gone = nil
			p.limits.stopReading()
		}
	}
}

// burst sends what is ready now. Once that fails the rest is let go: nobody is left to read it.
func (p *proposeStream) burst(ctx context.Context, ready []*slot) {
	p.limits.writeWithin(streamPatience)
	for i, s := range ready {
		p.limits.more(i < len(ready)-1)
		if !p.broken && p.stream.Send(p.response(ctx, s)) != nil {
			p.broken = true
			p.limits.stopReading()
		}
		p.window.release(s)
	}
	p.limits.more(false) // also after a failure: the end of the stream is flushed as well
	p.limits.writeWithin(0)
}

func (p *proposeStream) response(ctx context.Context, s *slot) *parleyv1.ProposeResponse {
	if s.fault != nil {
		return &parleyv1.ProposeResponse{Error: s.fault}
	}
	p.service.logInternal("ProposeStream", s.reply.Err)
	return responseOf(ctx, s.reply)
}
