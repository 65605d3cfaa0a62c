package replay

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// directory returns the directory for the store and what to call when it is no longer needed.
func directory(dir string) (path string, remove func() error, err error) {
	if dir == "" {
		if path, err = os.MkdirTemp("", "parley-replay-"); err != nil {
			return "", nil, fmt.Errorf("replay: %w", err)
		}
		return path, func() error { return os.RemoveAll(path) }, nil
	}
	if err := checkEmpty(dir); err != nil {
		return "", nil, err
	}
	return dir, func() error { return nil }, nil
}

// checkEmpty refuses a directory that holds anything: what was stored before would be taken for a part of the trace.
func checkEmpty(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("replay: data directory: %w", err)
	}
	defer f.Close()
	switch _, err := f.Readdirnames(1); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("replay: data directory: %w", err)
	}
	return fmt.Errorf("replay: data directory %s is not empty: a replay begins with nothing stored; name a new directory, or none to use a temporary one", dir)
}
