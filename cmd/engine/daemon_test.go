package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/internal/server"
)

// fakeEngine stops when it is told to, and how.
type fakeEngine struct {
	server.Engine // nil: no test calls it

	stop    func(context.Context) error
	done    chan struct{}
	err     error
	stopped sync.Once
}

func (f *fakeEngine) Stats() actors.Stats { return actors.Stats{} }

func (f *fakeEngine) Stop(ctx context.Context) error {
	defer f.stopped.Do(func() { close(f.done) })
	if f.stop == nil {
		return nil
	}
	return f.stop(ctx)
}

func (f *fakeEngine) Done() <-chan struct{} { return f.done }

func (f *fakeEngine) Err() error { return f.err }

// fakeStore counts how often it was closed.
type fakeStore struct{ closed int }

func (f *fakeStore) Close() error {
	f.closed++
	return nil
}

func newDaemon(t *testing.T, engine *fakeEngine, log io.Writer) (*daemon, *fakeStore) {
	t.Helper()
	engine.done = make(chan struct{})
	logger := zerolog.New(zerolog.SyncWriter(log))
	door, err := openDoor(t.Context(), "127.0.0.1:0", logger, nil)
	if err != nil {
		t.Fatal(err)
	}
	door.server.Ready(engine)
	store := &fakeStore{}
	return &daemon{door: door, engine: engine, store: store, drainTimeout: 50 * time.Millisecond, log: logger}, store
}

// readyz returns what the page says; the connection is not kept.
func readyz(ctx context.Context, d *daemon) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.door.address()+"/readyz", http.NoBody)
	if err != nil {
		return 0, "", err
	}
	request.Close = true
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, strings.TrimSpace(string(body)), err
}

func TestReadyzSaysWhyWhileTheEngineDrainsAndThePortIsClosedAfterwards(t *testing.T) {
	engine := &fakeEngine{}
	var out strings.Builder
	d, store := newDaemon(t, engine, &out)
	if status, text, err := readyz(t.Context(), d); err != nil || status != http.StatusOK {
		t.Fatalf("before: %d %q, %v", status, text, err)
	}
	engine.stop = func(ctx context.Context) error {
		status, text, err := readyz(ctx, d)
		if err != nil || status != http.StatusServiceUnavailable || !strings.HasPrefix(text, "draining: ") {
			t.Errorf("while it drains: %d %q, %v", status, text, err)
		}
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the drain has no deadline")
		}
		if store.closed > 0 {
			t.Error("the store was closed before the engine stopped")
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a signal"))
	if err := d.run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
	if _, _, err := readyz(t.Context(), d); err == nil {
		t.Error("the port is still open")
	}
	if store.closed != 1 {
		t.Errorf("the store was closed %d times", store.closed)
	}
	for _, want := range []string{`"cause":"a signal"`, `"message":"stopped"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
}

func TestADrainThatTakesTooLongIsAnErrorAndEverythingIsClosedAllTheSame(t *testing.T) {
	engine := &fakeEngine{stop: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	d, store := newDaemon(t, engine, io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.run(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "drain") {
		t.Errorf("run: %v, want that the drain exceeded its deadline", err)
	}
	if store.closed != 1 {
		t.Errorf("the store was closed %d times", store.closed)
	}
}

func TestAnEngineThatStopsByItselfEndsTheProcessWithItsReason(t *testing.T) {
	reason := errors.New("the shards were lost")
	for _, cause := range []error{reason, nil} {
		engine := &fakeEngine{err: cause}
		d, store := newDaemon(t, engine, io.Discard)
		engine.stopped.Do(func() { close(engine.done) })
		err := d.run(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "the engine stopped by itself") || (cause != nil && !errors.Is(err, cause)) {
			t.Errorf("with %v, run: %v", cause, err)
		}
		if store.closed != 1 {
			t.Errorf("with %v, the store was closed %d times", cause, store.closed)
		}
	}
}

func TestAServerThatFailsEndsTheProcessAfterADrain(t *testing.T) {
	drained := false
	engine := &fakeEngine{stop: func(context.Context) error {
		drained = true
		return nil
	}}
	d, store := newDaemon(t, engine, io.Discard)
	if err := d.door.listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "http server: ") {
		t.Errorf("run: %v, want the server's failure", err)
	}
	if !drained || store.closed != 1 {
		t.Errorf("drained: %v; the store was closed %d times", drained, store.closed)
	}
}

func TestAnOpenPortToOtherMachinesIsWarnedAbout(t *testing.T) {
	for address, warned := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, ":0": true} {
		var out strings.Builder
		door, err := openDoor(t.Context(), address, zerolog.New(zerolog.SyncWriter(&out)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := door.close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(out.String(), "no authentication"); got != warned {
			t.Errorf("%s: warned %v, want %v: %s", address, got, warned, out.String())
		}
	}
}
