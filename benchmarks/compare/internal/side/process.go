package side

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// closeWithin is how long a child may take to end once it is told to.
const closeWithin = time.Minute

// Children returns a launcher that runs each side as a child: command is the program and its arguments before the side's name, and must lead to
// [Serve]. A child is killed when the context that it was launched with ends.
func Children(command ...string) Launcher {
	return func(ctx context.Context, name string, p Params) (Side, error) {
		c := &child{name: name}
		c.cmd = exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], name)...)
		c.cmd.WaitDelay = closeWithin
		c.cmd.Stderr = &c.complaints
		in, err := c.cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("side %s: %w", name, err)
		}
		out, err := c.cmd.StdoutPipe()
		if err != nil {
			return nil, fmt.Errorf("side %s: %w", name, err)
		}
		c.in, c.orders, c.answers = in, json.NewEncoder(in), json.NewDecoder(out)
		if err := c.cmd.Start(); err != nil {
			return nil, fmt.Errorf("side %s: %w", name, err)
		}
		if _, err := c.ask(ctx, order{Params: &p}); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, c.pause()
	}
}

// child is a side in a process of its own.
type child struct {
	name       string
	cmd        *exec.Cmd
	in         io.Closer
	orders     *json.Encoder
	answers    *json.Decoder
	complaints tail
	failed     bool // it has said why already
}

// Round implements [Side]. The child runs from the call to its return alone.
func (c *child) Round(ctx context.Context) (Figures, error) {
	if err := c.resume(); err != nil {
		return nil, err
	}
	figures, err := c.ask(ctx, order{})
	if err != nil {
		return nil, err
	}
	return figures, c.pause()
}

// ask gives an order and waits for its answer. When ctx ends, the child, which was launched with it or with one above it, is killed, and the
// answer is that.
func (c *child) ask(ctx context.Context, o order) (Figures, error) {
	if err := c.orders.Encode(o); err != nil {
		return nil, c.broken(ctx, err)
	}
	var a answer
	if err := c.answers.Decode(&a); err != nil {
		return nil, c.broken(ctx, err)
	}
	if a.Err != "" {
		c.failed = true
		return nil, fmt.Errorf("side %s: %s", c.name, a.Err)
	}
	return a.Figures, nil
}

// broken says why a child does not answer.
func (c *child) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("side %s: %w", c.name, context.Cause(ctx))
	}
	c.failed = true
	ended := errors.Join(c.in.Close(), c.cmd.Wait())
	return fmt.Errorf("side %s: ended: %w\n%s", c.name, errors.Join(err, ended), c.complaints.String())
}

// Close implements [Side].
func (c *child) Close() error {
	if c.cmd.ProcessState != nil {
		return nil
	}
	err := errors.Join(c.resume(), c.in.Close())
	ended := c.cmd.Wait()
	if ended != nil && !c.failed {
		err = errors.Join(err, fmt.Errorf("side %s: %w\n%s", c.name, ended, c.complaints.String()))
	}
	return err
}

// Kill ends a side that is a child at once, as a crash would, whatever it does; of another side it is an error.
func Kill(s Side) error {
	c, ok := s.(*child)
	if !ok {
		return fmt.Errorf("side: a %T has no process that could be killed", s)
	}
	c.failed = true
	err := c.cmd.Process.Kill()
	_ = c.cmd.Wait() // it says that it was killed
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	t.last = t.last[max(0, len(t.last)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.last))
}
