//go:build linux || darwin || freebsd

package badgerstore

import "golang.org/x/sys/unix"

func freeSpace(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	// The types differ between systems; FreeBSD counts below zero what is kept for root.
	return uint64(max(stat.Bavail, 0)) * uint64(stat.Bsize), nil //nolint:unconvert // it is one elsewhere
}
