package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-im/parley/cmd/engine/internal/server"
)

// Limits on a connection. A call that streams lifts them for itself, by its http.ResponseController.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 2 * time.Minute // from the request's header on: it bounds what a call may take, and a client that does not read
	idleTimeout   = 2 * time.Minute
	headerBytes   = 64 << 10
)

// door is the port of the engine's services.
type door struct {
	*port

	server *server.Server
}

// openDoor listens and answers; until an engine is given to the door's server, what it answers is that it starts. extra are pages beside the services, by their patterns.
func openDoor(ctx context.Context, address string, log zerolog.Logger, extra map[string]http.Handler) (*door, error) {
	d := &door{server: server.New(log)}
	mux := http.NewServeMux()
	mux.Handle("/", d.server.Handler())
	for pattern, page := range extra {
		mux.Handle(pattern, page)
	}
	var err error
	if d.port, err = openPort(ctx, "--listen", address, mux, log); err != nil {
		return nil, err
	}
	return d, nil
}

// port is a listener and the HTTP server behind it.
type port struct {
	http     *http.Server
	listener net.Listener
	failed   chan error // has the reason why the HTTP server ended by itself
	ended    chan struct{}
}

// openPort listens and answers. Errors name the flag that the address comes from.
func openPort(ctx context.Context, flag, address string, handler http.Handler, log zerolog.Logger) (*port, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s: %s is in use by another process: stop that one first, or choose another address", flag, address)
		}
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn().Str("listen", listener.Addr().String()).Msg("other machines may reach the port, and there is no authentication")
	}
	p := &port{listener: listener, failed: make(chan error, 1), ended: make(chan struct{})}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC
	p.http = &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(zerolog.NewSlogHandler(log), slog.LevelWarn),
	}
	go func() {
		defer close(p.ended)
		if err := p.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("http server: %w", err)
		}
	}()
	return p, nil
}

func (p *port) address() string { return p.listener.Addr().String() }

// close stops listening and waits for the calls under way; those that are not done when ctx ends are cut off, which is the error.
func (p *port) close(ctx context.Context) error {
	err := p.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, p.http.Close())
	}
	<-p.ended
	return err
}
