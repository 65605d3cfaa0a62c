//go:build !linux && !darwin && !freebsd && !windows

package badgerstore

import "math"

func freeSpace(string) (uint64, error) { return math.MaxUint64, nil }
