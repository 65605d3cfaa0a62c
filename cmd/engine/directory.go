package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/parley-im/parley/persistence/badgerstore"
)

// openReadOnly opens the store of --data, in which nothing is written. What Badger warns of goes to the log.
func openReadOnly(data string, log io.Writer) (*badgerstore.ReadOnly, error) {
	logger, err := newLogger(log, "console", "warn")
	if err != nil {
		return nil, err
	}
	store, err := badgerstore.OpenReadOnly(data, badgerstore.Options{Log: badgerLog(logger)})
	if errors.Is(err, badgerstore.ErrNoStore) {
		return nil, fmt.Errorf("--data: there is no store in %s", data)
	}
	if err != nil {
		return nil, unopened(data, err)
	}
	return store, nil
}

// unopened says why the store of --data cannot be opened, and which command helps, where one does.
func unopened(data string, err error) error {
	if errors.Is(err, badgerstore.ErrLogDamaged) {
		return fmt.Errorf("--data: %w; that is: engine compact --data %s --abandon-log", err, data)
	}
	return fmt.Errorf("--data: %w", err)
}
