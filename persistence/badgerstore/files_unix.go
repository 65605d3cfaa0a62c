//go:build linux || darwin || freebsd

package badgerstore

import (
	"io/fs"
	"syscall"
)

// allocatedBytes is what the file takes of the disk. Badger makes its logs twice as long as it fills them.
func allocatedBytes(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512 // whatever the file system's own blocks are
	}
	return info.Size()
}
