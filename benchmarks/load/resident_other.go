//go:build !linux

package load

// residentBytes returns 0: it is not known here.
func residentBytes() uint64 { return 0 }
