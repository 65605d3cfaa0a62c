package badgerstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData has what was written to a file reach the disk, and of what describes the file no more than is needed to read it.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
