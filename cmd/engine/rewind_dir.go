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
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// rewindDir rewinds in a store's directory, by an engine that is run for it.
type rewindDir struct {
	engine *actors.Engine
	store  *badgerstore.Store
}

func openRewindDir(ctx context.Context, dir string, expireAfter time.Duration, log io.Writer) (*rewindDir, error) {
	// Opening would make a store where there is none.
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--data: there is no store in %s", dir)
	}
	logger, err := newLogger(log, "console", "warn")
	if err != nil {
		return nil, err
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{Log: badgerLog(logger)})
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	serve := serveOptions{expireAfter: expireAfter}
	engine, err := actors.Start(ctx, nil, store, serve.engine(logger))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), store.Close())
	}
	return &rewindDir{engine: engine, store: store}, nil
}

func (d *rewindDir) lastSeq(ctx context.Context, name string) (uint64, error) {
	view, err := d.engine.Get(ctx, name, "")
	return view.LastSeq, refusedLocally(err)
}

func (d *rewindDir) rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error) {
	reply, err := d.engine.Propose(ctx, &actors.Proposal{
		Conversation: request.GetConversation(),
		Change:       &conversation.Rewind{From: request.GetFrom(), To: request.GetTo()},
		IfGeneration: request.GetIfGeneration(),
	})
	if err != nil {
		return nil, refusedLocally(err)
	}
	return &parleyv1.RewindResponse{Generation: reply.Generation, Version: reply.Version, LastSeq: reply.LastSeq, Changed: reply.Changed}, nil
}

func (d *rewindDir) close(ctx context.Context) error {
	return errors.Join(d.engine.Stop(context.WithoutCancel(ctx)), d.store.Close())
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
