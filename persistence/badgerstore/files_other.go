//go:build !linux && !darwin && !freebsd

package badgerstore

import "io/fs"

func allocatedBytes(info fs.FileInfo) int64 { return info.Size() }
