package reaping

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// BatchRows is how many rows a batch of deletions has, on both sides.
const BatchRows = 500

// Reap has an engine, unpaced, expire conversations of so many members at once, on a store in dir whose every commit is fsynced. It returns how long
// that took and which rows were deleted, with their values. dir must be empty or absent, and is left behind.
func Reap(ctx context.Context, dir string, conversations, members int) (took time.Duration, deleted []persistence.Row, err error) {
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	virtual := clock.NewVirtual(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC))
	engine, err := actors.Start(ctx, nil, store, actors.Config{
		Default: conversation.Policy{ExpireAfter: time.Hour},
		Clock:   virtual,
		Reaper:  actors.ReaperConfig{BatchRows: BatchRows, BatchDelay: -1, MaxRowsPerSecond: -1},
	})
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()
	if err := Fill(ctx, engine, conversations, members, func(i int) string { return "doomed:" + strconv.Itoa(i) }); err != nil {
		return 0, nil, err
	}
	for engine.Stats().Journal.Rows > 0 { // it is durable, and not all of it in Badger yet
		virtual.Advance(virtual.Now().Add(100 * time.Millisecond))
		if err := pass(ctx, time.Millisecond); err != nil {
			return 0, nil, err
		}
	}
	before, err := contents(ctx, store)
	if err != nil {
		return 0, nil, err
	}

	virtual.Advance(virtual.Now().Add(time.Hour))
	began := time.Now()
	if err := engine.Settle(ctx); err != nil {
		return 0, nil, err
	}
	took = time.Since(began)

	after, err := contents(ctx, store)
	if err != nil {
		return 0, nil, err
	}
	heads := 0
	for key, value := range before {
		head := persistence.KindOf([]byte(key)) == persistence.KindHead
		if now, ok := after[key]; !ok || head && now != value {
			deleted = append(deleted, persistence.Row{Key: []byte(key), Value: []byte(value)})
			if head {
				heads++
			}
		}
	}
	if heads != conversations {
		return 0, nil, fmt.Errorf("reaping: %d of %d conversations were deleted", heads, conversations)
	}
	return took, deleted, nil
}

// contents returns all rows of a store.
func contents(ctx context.Context, store persistence.Store) (map[string]string, error) {
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	rows := make(map[string]string)
	for row, err := range snapshot.Scan(ctx, persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			return nil, err
		}
		rows[string(row.Key)] = string(row.Value)
	}
	return rows, nil
}
