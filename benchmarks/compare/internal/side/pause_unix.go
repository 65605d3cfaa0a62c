//go:build unix

package side

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// pause stops the child, with all its background work, until it is resumed.
func (c *child) pause() error { return c.signal(syscall.SIGSTOP) }

func (c *child) resume() error { return c.signal(syscall.SIGCONT) }

func (c *child) signal(s syscall.Signal) error {
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("side %s: %v: %w", c.name, s, err)
	}
	return nil
}
