package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

const (
	// sendTimeout is how long a watcher may take to make room for an event. One that does not is cut off: it can resume.
	sendTimeout = time.Minute
	// partingTimeout is the same once the engine has ended the watch.
	partingTimeout = time.Second
)

// Watch streams events until the caller goes away or the engine stops.
func (s *service) Watch(ctx context.Context, request *parleyv1.WatchRequest, stream *connect.ServerStream[parleyv1.Event]) error {
	engine, err := s.server.engine()
	if err != nil {
		return s.refuse(ctx, "Watch", err)
	}
	watch, err := engine.Watch(ctx, actors.WatchQuery{
		Cursor: request.GetCursor(), Namespaces: request.GetNamespaces(), ExpiredOnly: request.GetExpiredOnly(),
	})
	if err != nil {
		return s.refuse(ctx, "Watch", err)
	}
	defer watch.Close()
	pace := newPace(ctx, watch.Done())
	defer pace.stop()
	began := &parleyv1.Event{Cursor: watch.Cursor(), At: timestamppb.Now(), Kind: &parleyv1.Event_Began{Began: &parleyv1.Began{}}}
	if err := pace.send(func() error { return stream.Send(began) }); err != nil {
		return err
	}
	for event, err := range watch.Events(ctx) {
		if err != nil {
			return s.refuse(ctx, "Watch", err)
		}
		if err := pace.send(func() error { return stream.Send(eventOf(&event)) }); err != nil {
			return err // the connection's: there is nobody to tell
		}
	}
	return nil
}

type controllerKey struct{}

// liftLimits takes the server's time limits off the connection of a call that sends for as long as its caller wants, such as a watch, and lets the call set its own.
func liftLimits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case parleyv1connect.ConversationServiceWatchProcedure, parleyv1connect.OperatorServiceApplyPoliciesProcedure:
			controller := http.NewResponseController(w)
			// Where a connection has no limits to lift, as in some tests, there is nothing to do.
			_ = controller.SetReadDeadline(time.Time{})
			_ = controller.SetWriteDeadline(time.Time{})
			r = r.WithContext(context.WithValue(r.Context(), controllerKey{}, controller))
		}
		next.ServeHTTP(w, r)
	})
}

// pace cuts off a watcher that does not take what it is sent: while nothing is being sent there is no limit, and once the engine has ended the watch, little patience.
type pace struct {
	controller *http.ResponseController // nil: there are no limits to set
	left       chan struct{}
	ended      chan struct{}

	mu      sync.Mutex
	parting bool
}

func newPace(ctx context.Context, over <-chan struct{}) *pace {
	controller, _ := ctx.Value(controllerKey{}).(*http.ResponseController)
	p := &pace{controller: controller, left: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		select {
		case <-over:
			p.limit(partingTimeout, true)
		case <-p.left:
		}
	}()
	return p
}

// stop must be called before the call returns.
func (p *pace) stop() {
	close(p.left)
	<-p.ended
}

func (p *pace) send(send func() error) error {
	p.limit(sendTimeout, false)
	defer p.limit(0, false)
	return send()
}

// limit says how long from now on writing may take; 0: for ever. The limit of a parting is the last.
func (p *pace) limit(d time.Duration, parting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.controller == nil || p.parting {
		return
	}
	p.parting = parting
	deadline := time.Time{}
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	_ = p.controller.SetWriteDeadline(deadline)
}

func eventOf(event *actors.Event) *parleyv1.Event {
	e := &parleyv1.Event{Cursor: event.Cursor, At: timestampOf(event.At), Conversation: event.Conversation, Generation: event.Generation}
	switch {
	case event.Expired != nil:
		e.Kind = &parleyv1.Event_Expired{Expired: &parleyv1.Expired{
			Reason:         parleyv1.Reason(event.Expired.Reason),
			LastSeq:        event.Expired.LastSeq,
			Users:          event.Expired.Users,
			UsersTruncated: event.Expired.UsersTruncated,
			Deadline:       timestampOf(event.Expired.Deadline),
			Lateness:       durationpb.New(event.Expired.Lateness),
		}}
	case event.Changed != nil:
		e.Kind = &parleyv1.Event_Changed{Changed: &parleyv1.Changed{
			Version: event.Changed.Version,
			LastSeq: event.Changed.LastSeq,
			Kinds:   event.Changed.Kinds,
			Users:   event.Changed.Users,
			Origin:  event.Changed.Origin,
		}}
	case event.Gap != nil:
		e.Kind = &parleyv1.Event_Gap{Gap: &parleyv1.Gap{Changed: event.Gap.Changed, Expired: event.Gap.Expired}}
	}
	return e
}
