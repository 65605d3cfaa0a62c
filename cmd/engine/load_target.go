package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
	"github.com/parley-im/parley/cmd/engine/internal/config"
	"github.com/parley-im/parley/cmd/engine/internal/loadserver"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// loadTarget is what the flags say of where a load goes.
type loadTarget struct {
	server, metrics string
	connections     int
	data, config    string
	noSync          bool

	settings actors.Config       // of the engine in this process
	store    badgerstore.Options // likewise
}

// maxConnections bounds --connections: each takes a file at either end.
const maxConnections = 10_000

func (t *loadTarget) flags(flags *pflag.FlagSet) {
	flags.StringVar(&t.server, "server", "", "the URL of a server, instead of an engine in this process")
	flags.StringVar(&t.metrics, "metrics", "", "the URL of the server's metrics (default /metrics at --server)")
	flags.IntVar(&t.connections, "connections", 64, "with --server: connections for proposals; more than are busy at once wait")
	flags.StringVar(&t.data, "data", "", "a new or empty directory to leave the store in (default a temporary one, removed afterwards)")
	flags.StringVar(&t.config, "config", "", "YAML file with the settings of the engine in this process, as for engine serve")
	flags.BoolVar(&t.noSync, "no-sync", false, "of the engine in this process: commits survive the process, not the machine")
}

// check reads the settings, and reports what does not go together.
func (t *loadTarget) check(flags *pflag.FlagSet) error {
	if t.connections < 1 || t.connections > maxConnections {
		return fmt.Errorf("--connections: must be 1 to %d, is %d", maxConnections, t.connections)
	}
	var faults []error
	only := func(names []string, reason string) {
		for _, name := range names {
			if flags.Changed(name) {
				faults = append(faults, fmt.Errorf("--%s: %s", name, reason))
			}
		}
	}
	if t.server != "" {
		only([]string{"config", "no-sync"}, "is for an engine in this process; a server knows its own")
		return errors.Join(append(faults, checkServer(t.server))...)
	}
	only([]string{"metrics", "connections"}, "is for --server")
	own := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	own.AddFlag(flags.Lookup("no-sync"))
	c, err := config.Load(t.config, nil, own)
	if err == nil {
		t.settings, err = c.Engine()
	}
	if err == nil {
		t.store = badgerstore.Options{NoSync: c.NoSync, RowCacheBytes: c.RowCacheBytes, ReserveBytes: c.ReserveBytes}
		t.noSync = c.NoSync
	}
	return errors.Join(append(faults, err)...)
}

// String says for a person what the load was sent to.
func (t *loadTarget) String() string {
	switch {
	case t.server != "":
		return fmt.Sprintf("the server at %s, over %d connections", t.server, t.connections)
	case t.noSync:
		return "an engine in the load's own process, without fsync"
	}
	return "an engine in the load's own process"
}

// openTarget is a target and what ends it.
type openTarget struct {
	load.Target

	close func() error
}

func (t *loadTarget) open(ctx context.Context, w *workload.Workload, c load.Config, log io.Writer) (*openTarget, error) {
	if t.server != "" {
		metrics := t.metrics
		if metrics == "" {
			metrics = strings.TrimSuffix(t.server, "/") + strings.TrimPrefix(metricsPath, "GET ")
		}
		server := loadserver.New(t.server, metrics, t.connections)
		return &openTarget{Target: server, close: func() error { server.Close(); return nil }}, nil
	}
	logger, err := newLogger(log, "console", "warn")
	if err != nil {
		return nil, err
	}
	t.store.Log = badgerLog(logger)
	engine, err := load.OpenEmbedded(ctx, w, c, load.EmbeddedConfig{Dir: t.data, Store: t.store, Engine: t.settings})
	if err != nil {
		return nil, err
	}
	return &openTarget{Target: engine, close: engine.Close}, nil
}
