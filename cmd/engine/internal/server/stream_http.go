package server

import (
	"context"
	"net/http"
	"time"

	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// streamHTTP prepares requests that stream both ways: they may take as long as they like, which the HTTP server's limits on reading and writing do not allow;
// and over HTTP/1.1, where Connect has only a status for them, it says what they need.
func streamHTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != parleyv1connect.ConversationServiceProposeStreamProcedure {
			next.ServeHTTP(w, r)
			return
		}
		if r.ProtoMajor < 2 {
			w.Header().Set("Connection", "close") // whoever expects both directions at once may go on sending
			page(w, http.StatusHTTPVersionNotSupported, "ProposeStream needs HTTP/2, by gRPC or Connect's streams; over HTTP/1.1, ProposeBatch takes up to 1000 proposals a call")
			return
		}
		limits := &streamLimits{controller: http.NewResponseController(w)}
		limits.lift()
		burst := &burstWriter{ResponseWriter: w, controller: limits.controller}
		limits.burst = burst
		next.ServeHTTP(burst, r.WithContext(context.WithValue(r.Context(), limitsKey{}, limits)))
	})
}

type limitsKey struct{}

// streamLimits is the time that the reads and writes of one stream may take. Where the HTTP server sets no limits, as in a test without a network, there are none
// to lift: hence the errors that nobody looks at.
type streamLimits struct {
	controller *http.ResponseController
	burst      *burstWriter
}

// limitsOf returns the limits that streamHTTP put into a context.
func limitsOf(ctx context.Context) *streamLimits {
	if limits, ok := ctx.Value(limitsKey{}).(*streamLimits); ok {
		return limits
	}
	return &streamLimits{}
}

// lift takes all limits away.
func (l *streamLimits) lift() {
	if l.controller != nil {
		_ = l.controller.SetReadDeadline(time.Time{})
		_ = l.controller.SetWriteDeadline(time.Time{})
	}
}

// writeWithin bounds what follows being written; 0: by nothing.
func (l *streamLimits) writeWithin(d time.Duration) {
	if l.controller == nil {
		return
	}
	var deadline time.Time
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	_ = l.controller.SetWriteDeadline(deadline)
}

// stopReading makes a read that waits for the client fail, and all later ones.
func (l *streamLimits) stopReading() {
	if l.controller != nil {
		_ = l.controller.SetReadDeadline(time.Unix(1, 0))
	}
}

// more says whether what is sent next is followed at once by something else. It is for the goroutine that sends.
func (l *streamLimits) more(follows bool) {
	if l.burst != nil {
		l.burst.more = follows
	}
}

// burstWriter keeps Connect, which flushes each message, from sending each in a packet of its own where there are many: a commit answers hundreds at a time.
type burstWriter struct {
	http.ResponseWriter

	controller *http.ResponseController
	more       bool
}

// Flush implements [http.Flusher].
func (w *burstWriter) Flush() {
	if !w.more {
		_ = w.controller.Flush() // where the client is gone the next write fails
	}
}

// Unwrap is for [http.ResponseController].
func (w *burstWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
