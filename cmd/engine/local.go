package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/logobserver"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// local is a store's directory that no server has open, with an engine that is run on it for an operator's command. It does what engines do: what has expired there is deleted.
type local struct {
	engine *actors.Engine
	store  *badgerstore.Store
}

// openLocal opens a directory that has a store. An error names the flag.
func openLocal(ctx context.Context, dir string, expireAfter time.Duration, log io.Writer) (*local, error) {
	policy := conversation.Policy{ExpireAfter: expireAfter}
	if err := policy.Validate(); err != nil {
		return nil, fmt.Errorf("--expire-after: %w", err)
	}
	return openLocalUnder(ctx, dir, actors.Config{Default: policy}, log)
}

// openLocalUnder opens a directory that has a store, under the policies and settings given.
func openLocalUnder(ctx context.Context, dir string, settings actors.Config, log io.Writer) (*local, error) {
	if err := mustHaveStore(dir); err != nil {
		return nil, err
	}
	logger, err := newLogger(log, "console", "warn")
	if err != nil {
		return nil, err
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{Log: badgerLog(logger)})
	if err != nil {
		return nil, unopened(dir, err)
	}
	settings.Observer = logobserver.New(logger)
	engine, err := actors.Start(ctx, nil, store, settings)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), store.Close())
	}
	return &local{engine: engine, store: store}, nil
}

// mustHaveStore refuses a directory without a store: opening would make one. The error names the flag.
func mustHaveStore(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data: there is no store in %s", dir)
	}
	return nil
}

func (l *local) close(ctx context.Context) error {
	return errors.Join(l.engine.Stop(context.WithoutCancel(ctx)), l.store.Close())
}

// refusedLocally says what a server's message would.
func refusedLocally(err error) error {
	e, ok := errors.AsType[*conversation.Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Field, named.Reason = strings.TrimPrefix(e.Field, "rewind."), strings.ReplaceAll(e.Reason, "rewind.", "")
	return errors.New(strings.TrimPrefix(named.Error(), e.Kind.Error()+": "))
}
