//go:build linux || darwin || freebsd

package badgerstore

import (
	"errors"
	"os"
	"syscall"
)

// lockShared keeps others from opening the directory for writing until unlock is called, and fails with ErrInUse where somebody has it open so. It is the lock that Badger takes.
func lockShared(dir string) (unlock func(), err error) {
	f, err := os.Open(dir) //nolint:gosec // the host names the directory
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		_ = f.Close() // it was only to be locked
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, &os.PathError{Op: "lock", Path: dir, Err: err}
	}
	return func() { _ = f.Close() }, nil
}
