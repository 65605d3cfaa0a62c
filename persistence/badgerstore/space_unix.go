//go:build linux || darwin || freebsd

package badgerstore

import "golang.org/x/sys/unix"

func freeSpace(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return uint64(max(stat.Bavail, 0)) * uint64(stat.Bsize), nil //nolint:gosec,unconvert // the types differ between systems; FreeBSD counts the root's share below zero
}
