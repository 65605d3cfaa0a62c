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

// door is the port and the HTTP server behind it.
type door struct {
	server   *server.Server
	http     *http.Server
	listener net.Listener
	failed   chan error // has the reason why the HTTP server ended by itself
	ended    chan struct{}
}

// openDoor listens and answers; until an engine is given to the door's server, what it answers is that it starts.
func openDoor(ctx context.Context, address string, log zerolog.Logger) (*door, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("--listen: %s is in use by another process: stop that one first, or choose another address", address)
		}
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn().Str("listen", listener.Addr().String()).Msg("other machines may reach the port, and there is no authentication")
	}
	d := &door{
		server:   server.New(log),
		listener: listener,
		failed:   make(chan error, 1),
		ended:    make(chan struct{}),
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC
	d.http = &http.Server{
		Handler:           d.server.Handler(),
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(zerolog.NewSlogHandler(log), slog.LevelWarn),
	}
	go func() {
		defer close(d.ended)
		if err := d.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fmt.Errorf("http server: %w", err)
		}
	}()
	return d, nil
}

func (d *door) address() string { return d.listener.Addr().String() }

// close stops listening and waits for the calls under way; those that are not done when ctx ends are cut off, which is the error.
func (d *door) close(ctx context.Context) error {
	err := d.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, d.http.Close())
	}
	<-d.ended
	return err
}
