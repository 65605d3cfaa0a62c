// Example is a small chat backend that embeds Parley: a message log, an actor that delivers to the engine, a gateway for each connected user, and clients that talk for a
// second. What it prints is what the users' devices are shown. How it is done, and why, is in docs/embedding.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors/logobserver"
	"github.com/parley-im/parley/persistence/badgerstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := serve(ctx, os.Stdout, zerolog.New(os.Stderr).Level(zerolog.WarnLevel))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// serve opens what the backend needs, has the clients talk, and closes everything again, in the reverse order.
func serve(ctx context.Context, out io.Writer, log zerolog.Logger) (err error) {
	dir, err := os.MkdirTemp("", "parley-example-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	defer system.Shutdown()

	config := policies()
	config.Observer = logobserver.New(log)
	world := &world{system: system, store: store, config: config, out: out, log: newMessageLog(), began: time.Now()}
	return world.run(ctx)
}

// printer writes lines, from any goroutine.
type printer struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.out, "%5.2fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...)) // who cannot be told cannot be told so
}
