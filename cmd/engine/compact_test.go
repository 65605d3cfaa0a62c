package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

func TestADirectoryWhoseLogIsDamagedIsOpenedOnceItIsAbandoned(t *testing.T) {
	running := filepath.Join(t.TempDir(), "data")
	store, err := badgerstore.Open(running, badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	epochs, err := store.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	puts := []persistence.Put{{Key: persistence.HeadKey("group:1"), Value: []byte("1")}}
	if _, err := store.Log(t.Context(), persistence.Batch{Groups: []persistence.Group{{Epoch: epochs[0], Puts: puts}}}); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(killed, os.DirFS(running)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(killed, "redo")); err != nil {
		t.Fatal(err)
	}
	o := compactOptions{data: killed}
	if err := compact(t.Context(), &o, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "engine compact --data "+killed+" --abandon-log") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	for range 2 { // once is enough
		o.abandonLog = !o.abandonLog
		if err := compact(t.Context(), &o, io.Discard, io.Discard); err != nil {
			t.Errorf("with --abandon-log %v: %v", o.abandonLog, err)
		}
	}
}
