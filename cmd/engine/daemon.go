package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/logobserver"
	"github.com/parley-im/parley/cmd/engine/internal/config"
	"github.com/parley-im/parley/cmd/engine/internal/server"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// closeGrace is how long the last answers may take to get out once there is nothing more to wait for.
const closeGrace = 3 * time.Second

// engine is what the daemon asks of an engine; [actors.Engine] is one.
type engine interface {
	server.Engine
	Stats() actors.Stats
	Stop(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
}

// daemon is a server at work: the door, the engine behind it and its store.
type daemon struct {
	door          *door
	metrics       *metrics
	metricsAtDoor bool
	metricsPort   *port // nil: metrics are served at the door, or nowhere
	engine        engine
	store         io.Closer
	drainTimeout  time.Duration
	log           zerolog.Logger
}

// startDaemon listens first, so that a port in use is reported at once and the health pages answer while the store is opened.
func startDaemon(ctx context.Context, c *config.Config, log zerolog.Logger) (*daemon, error) {
	d := &daemon{metrics: newMetrics(log), metricsAtDoor: c.MetricsListen == "", drainTimeout: c.DrainTimeout, log: log}
	pages := map[string]http.Handler{}
	if d.metricsAtDoor {
		pages[metricsPath] = d.metrics.handler()
	}
	door, err := openDoor(ctx, c.Listen, log, pages)
	if err != nil {
		return nil, err
	}
	d.door = door
	if err := d.start(ctx, c); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

func (d *daemon) start(ctx context.Context, c *config.Config) error {
	if c.MetricsListen != "" && c.MetricsListen != metricsOff {
		mux := http.NewServeMux()
		mux.Handle(metricsPath, d.metrics.handler())
		var err error
		if d.metricsPort, err = openPort(ctx, "--metrics-listen", c.MetricsListen, mux, d.log); err != nil {
			return err
		}
	}
	settings, err := c.Engine()
	if err != nil {
		return err
	}
	settings.Observer = logobserver.New(d.log, logobserver.SlowRead(c.SlowRead), logobserver.SlowPropose(c.SlowPropose))
	store, err := badgerstore.Open(c.Data, badgerstore.Options{
		NoSync: c.NoSync, RowCacheBytes: c.RowCacheBytes, ReserveBytes: c.ReserveBytes, Log: badgerLog(d.log), Maintained: maintenanceLog(d.log),
	})
	if err != nil {
		return unopened(c.Data, err)
	}
	d.store = store
	engine, err := actors.Start(ctx, nil, store, settings)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	d.engine = engine
	if err := d.metrics.show(engine, store); err != nil {
		return errors.Join(fmt.Errorf("metrics: %w", err), engine.Stop(ctx))
	}
	d.door.server.Ready(engine)
	return nil
}

// metricsFailed has the reason why the HTTP server of the metrics ended by itself, where they have one of their own.
func (d *daemon) metricsFailed() <-chan error {
	if d.metricsPort == nil {
		return nil
	}
	return d.metricsPort.failed
}

// metricsAddress says where metrics are served, "off" where they are not.
func (d *daemon) metricsAddress() string {
	switch {
	case d.metricsPort != nil:
		return d.metricsPort.address()
	case d.metricsAtDoor:
		return d.door.address()
	}
	return metricsOff
}

// run returns once ctx has ended and everything was drained and closed, or once something failed and the rest was.
func (d *daemon) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		d.log.Info().
			Str("cause", context.Cause(ctx).Error()).
			Stringer("within", d.drainTimeout).
			Msg("stopping: a second signal ends at once")
		return d.drain(ctx, "draining: nothing new is taken, what was accepted is being finished")
	case err := <-d.door.failed:
		return errors.Join(err, d.drain(ctx, "stopping: the HTTP server failed"))
	case err := <-d.metricsFailed():
		return errors.Join(err, d.drain(ctx, "stopping: the HTTP server of the metrics failed"))
	case <-d.engine.Done():
		err := errors.New("the engine stopped by itself")
		if cause := d.engine.Err(); cause != nil {
			err = fmt.Errorf("the engine stopped by itself: %w", cause)
		}
		return errors.Join(err, d.drain(ctx, err.Error()))
	}
}

// drain finishes what was accepted, closes everything and logs what that took. The port stays open until the engine is done, so that whoever
// still calls learns why it is refused.
func (d *daemon) drain(ctx context.Context, reason string) error {
	began := time.Now()
	d.door.server.Unready(reason)
	before := d.engine.Stats()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.drainTimeout)
	defer cancel()
	err := d.engine.Stop(ctx)
	if err != nil {
		err = fmt.Errorf("drain: %w", err)
	}
	after := d.engine.Stats()
	err = errors.Join(err, d.close(ctx))
	level := zerolog.InfoLevel
	if err != nil {
		level = zerolog.ErrorLevel
	}
	d.log.WithLevel(level).
		Uint64("applied", after.Proposals.Applied-before.Proposals.Applied).
		Uint64("refused", after.Proposals.Refused-before.Proposals.Refused).
		Uint64("rows", after.Journal.Flushed-before.Journal.Flushed).
		Float64("took_ms", milliseconds(time.Since(began))).
		Msg("stopped")
	return err
}

// close closes what is open, from the outside in. A call that is cut off is no failure of the drain: either it was not read yet, or its caller does
// not read the answer.
func (d *daemon) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	if err := d.door.close(ctx); err != nil {
		d.log.Warn().Err(err).Msg("calls were cut off")
	}
	if d.metricsPort != nil {
		if err := d.metricsPort.close(ctx); err != nil {
			d.log.Warn().Err(err).Msg("scrapes were cut off")
		}
	}
	if d.store == nil {
		return nil
	}
	return d.store.Close()
}
