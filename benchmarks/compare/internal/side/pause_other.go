//go:build !unix

package side

// pause does nothing where processes cannot be stopped: what a side does between its rounds, garbage collection and compaction, is then felt by
// the other.
func (c *child) pause() error { return nil }

func (c *child) resume() error { return nil }
