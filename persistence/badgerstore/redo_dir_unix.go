//go:build !windows

package badgerstore

import (
	"errors"
	"os"
)

// syncDir has the names of new files in a directory reach the disk.
func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // a name of ours
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
