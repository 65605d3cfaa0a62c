//go:build !linux && !darwin && !freebsd

package badgerstore

// lockShared does nothing here: Badger's own lock is all there is.
func lockShared(string) (unlock func(), err error) { return func() {}, nil }
