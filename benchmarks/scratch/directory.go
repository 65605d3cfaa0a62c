// Package scratch finds a directory for the store of a run that begins with nothing stored.
package scratch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Open returns the directory for a run's store, and what to call when it is no longer needed: dir itself, which must be empty or not exist and is left behind, or, where that is "", a
// temporary one, which is removed. Errors begin with the name of what is run.
func Open(dir, run string) (path string, remove func() error, err error) {
	if dir == "" {
		if path, err = os.MkdirTemp("", "parley-"+run+"-"); err != nil {
			return "", nil, fmt.Errorf("%s: %w", run, err)
		}
		return path, func() error { return os.RemoveAll(path) }, nil
	}
	if err := checkEmpty(dir, run); err != nil {
		return "", nil, err
	}
	return dir, func() error { return nil }, nil
}

// checkEmpty refuses a directory that holds anything: what was stored before would be taken for a part of the run.
func checkEmpty(dir, run string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: data directory: %w", run, err)
	}
	defer f.Close()
	switch _, err := f.Readdirnames(1); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("%s: data directory: %w", run, err)
	}
	return fmt.Errorf("%s: data directory %s is not empty: a %s begins with nothing stored; name a new directory, or none to use a temporary one", run, dir, run)
}
