package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
)

// Errors of Open.
var (
	// ErrInUse says that somebody has the directory open.
	ErrInUse = errors.New("the directory is in use by another process: stop that one first, or choose another directory")
	// ErrForeign says that the directory holds something else than a store of Parley's.
	ErrForeign = errors.New("the directory holds something else than a Parley store: choose an empty one")
	// ErrShards says that the store was created with another number of shards.
	ErrShards = errors.New("the number of shards differs")
)

// prepare makes the directory, or checks that it is one that Badger may touch.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the host names the directory
		return err
	}
	manifest, err := os.Open(filepath.Join(dir, badger.ManifestFilename)) //nolint:gosec // the host names the directory
	if errors.Is(err, fs.ErrNotExist) {
		return mustBeUnused(dir)
	}
	if err != nil {
		return err
	}
	defer manifest.Close()
	// A manifest begins with Badger's name and the number that the application chose.
	var begin [6]byte
	want := binary.BigEndian.AppendUint16([]byte("Bdgr"), magic)
	if _, err := io.ReadFull(manifest, begin[:]); err != nil || !bytes.Equal(begin[:], want) {
		return ErrForeign
	}
	return nil
}

// mustBeUnused refuses a directory without a database but with files in it: a home directory, say. What Badger leaves behind when it ends
// before it has written a manifest does not count, nor what a file system puts into its root.
func mustBeUnused(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case "LOCK", "MANIFEST-REWRITE", "lost+found":
		default:
			return fmt.Errorf("%w: there is no database, but %s", ErrForeign, e.Name())
		}
	}
	return nil
}

// openError tells from Badger's text, which is all there is, that the directory is locked: Badger drops the system's error. A file system that
// knows no locks fails with the same words, but not for the same reason.
func openError(err error) error {
	text := err.Error()
	if !strings.Contains(text, "Another process is using this Badger database") {
		return err
	}
	if runtime.GOOS == "windows" || strings.Contains(text, syscall.EWOULDBLOCK.Error()) {
		return ErrInUse
	}
	return err
}
