package server

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// progressEvery is how often a call that takes long says how far it has come, at most.
const progressEvery = 200 * time.Millisecond

// ApplyPolicies has the engine's policies apply to all conversations, and says how far that has come.
func (o *operator) ApplyPolicies(
	ctx context.Context, request *parleyv1.ApplyPoliciesRequest, stream *connect.ServerStream[parleyv1.ApplyPoliciesResponse],
) error {
	engine, err := o.service.server.engine()
	if err != nil {
		return o.service.refuse(ctx, "ApplyPolicies", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pace := newPace(ctx, nil)
	defer pace.stop()
	var said time.Time
	var gone error // the connection's failure: there is nobody to tell
	final, err := engine.ApplyPolicies(ctx, request.GetNamespace(), func(p actors.ApplyProgress) {
		if gone != nil || p.Done == persistence.Shards || time.Since(said) < progressEvery {
			return
		}
		said = time.Now()
		if gone = pace.send(func() error { return stream.Send(ApplicationOf(&p)) }); gone != nil {
			cancel(gone)
		}
	})
	switch {
	case gone != nil:
		return gone
	case err != nil:
		return o.service.refuse(ctx, "ApplyPolicies", err)
	}
	return pace.send(func() error { return stream.Send(ApplicationOf(&final)) })
}

// ApplicationOf returns in the words of the wire how far an application of policies has come.
func ApplicationOf(p *actors.ApplyProgress) *parleyv1.ApplyPoliciesResponse {
	return &parleyv1.ApplyPoliciesResponse{
		Done: uint32(p.Done), Of: persistence.Shards,
		Looked: p.Looked, Changed: p.Changed, Skipped: p.Skipped, Resumed: p.Resumed,
	}
}

// PreviewExpiry says what would be over by a time.
func (o *operator) PreviewExpiry(ctx context.Context, request *parleyv1.PreviewExpiryRequest) (*parleyv1.PreviewExpiryResponse, error) {
	engine, err := o.service.server.engine()
	if err != nil {
		return nil, o.service.refuse(ctx, "PreviewExpiry", err)
	}
	q := actors.PreviewQuery{Namespace: request.GetNamespace(), Names: limitOf(request.GetNames())}
	if until := request.GetUntil(); until != nil {
		q.Until = until.AsTime()
	}
	preview, err := engine.PreviewExpiry(ctx, q)
	if err != nil {
		return nil, o.service.refuse(ctx, "PreviewExpiry", err)
	}
	return PreviewOf(&preview), nil
}

// PreviewOf returns a preview in the words of the wire.
func PreviewOf(p *actors.Preview) *parleyv1.PreviewExpiryResponse {
	response := &parleyv1.PreviewExpiryResponse{
		At: timestampOf(p.At), Conversations: p.Conversations, Members: p.Members, Overdue: p.Overdue, IfRead: p.IfRead, LeftOut: p.LeftOut,
	}
	for _, hour := range p.Hours {
		response.Hours = append(response.Hours, &parleyv1.PreviewHour{
			Hour: timestamppb.New(hour.Hour), Namespace: hour.Namespace, Conversations: hour.Conversations, Members: hour.Members,
		})
	}
	for _, c := range p.First {
		response.First = append(response.First, &parleyv1.PreviewedConversation{
			Conversation: c.Conversation, Deadline: timestamppb.New(c.Deadline), Members: c.Members,
		})
	}
	return response
}
