//go:build !linux && !darwin

package replay

func maxRSS() int64 { return 0 }
