// Package program runs a server for the time of a measurement.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second
	stopWithin  = 30 * time.Second
)

// Program is a server at work, as a child of this process; where the system can do that, it does not outlive it.
type Program struct {
	cmd    *exec.Cmd
	said   bytes.Buffer // not to be read before it has ended
	ended  chan struct{}
	result error // once it has ended
}

// Start starts a program and returns once ready says that it answers. What it prints is kept for errors.
func Start(ctx context.Context, ready func(context.Context) error, path string, args ...string) (*Program, error) {
	p := &Program{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	dieWithParent(p.cmd)
	started := make(chan error)
	go func() {
		// A child that dies with its parent dies with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.result = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := p.await(ctx, ready); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Program) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended before it was ready: %w\n%s", p.cmd.Path, p.result, p.said.String())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %w", p.cmd.Path, context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop asks the program to end, and kills it if it does not within half a minute. That it ended by being asked is no error.
func (p *Program) Stop() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopWithin):
		err := p.cmd.Process.Kill()
		<-p.ended
		return errors.Join(fmt.Errorf("%s did not end within %v and was killed", p.cmd.Path, stopWithin), err)
	}
}

// FreeAddress returns an address of this machine that nobody listened on a moment ago.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("a free port: %w", err)
	}
	address := listener.Addr().String()
	return address, listener.Close()
}
