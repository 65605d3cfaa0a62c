package badgerstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/parley-im/parley/persistence"
)

// What a child process is told through its environment.
const (
	childRole = "PARLEY_BADGERSTORE_TEST_ROLE"
	childDir  = "PARLEY_BADGERSTORE_TEST_DIR"

	roleHold   = "hold"   // opens the store, says so, and keeps it
	roleCommit = "commit" // commits without end, and prints what was acknowledged
	roleLog    = "log"    // logs without end, commits that now and then, and prints what was acknowledged

	roleMaintain = "maintain" // makes a run of maintenance, prints a line before each of its steps, and commits a row after that
)

// child is this test's binary in a process of its own.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer // its end ends a child whose parent is gone
	stdout *bufio.Scanner
}

func startChild(t *testing.T, role, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd: cmd, stdin: stdin, stdout: bufio.NewScanner(stdout)}
}

// opened waits until the child has the store.
func (c *child) opened(t *testing.T) {
	t.Helper()
	if !c.stdout.Scan() || c.stdout.Text() != "open" {
		t.Fatalf("the child says %q, %v; want that it has the store open", c.stdout.Text(), c.stdout.Err())
	}
}

// kill ends the child with SIGKILL and returns what it had still said.
func (c *child) kill(t *testing.T) (lines []string) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for c.stdout.Scan() {
		lines = append(lines, c.stdout.Text())
	}
	_ = c.cmd.Wait() // it was killed
	_ = c.stdin.Close()
	return lines
}

// runChild is a child's main.
func runChild(role, dir string) int {
	if err := asChild(role, dir); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func asChild(role, dir string) error {
	store, err := Open(dir, Options{MaintainEvery: -1})
	if err != nil {
		return err
	}
	defer store.Close()
	fmt.Println("open")
	if role == roleMaintain {
		return maintainAndTell(store)
	}
	if role == roleCommit {
		return commitForever(store)
	}
	if role == roleLog {
		return logForever(store)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// committers is how many goroutines of a child commit.
const committers = 4

// commitForever commits pairs of rows, each pair with an event, and prints the key of each pair once it was acknowledged.
func commitForever(store *Store) error {
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	epochs, err := store.Acquire(ctx, 1)
	if err != nil {
		return err
	}
	for c := range committers {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("x%d-%d-%06d", epochs[0], c, i)
				results, err := store.Commit(ctx, persistence.Batch{Groups: []persistence.Group{{
					Shard: 1, Epoch: epochs[0],
					Puts:   []persistence.Put{{Key: []byte(key + "-a")}, {Key: []byte(key + "-b")}},
					Events: [][]byte{[]byte(key)},
				}}})
				if err != nil || results[0].Err != nil {
					fail(fmt.Errorf("commit: %w, %v", err, results))
					return
				}
				fmt.Println(key) // one write of the system for each line
			}
		}()
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		fail(fmt.Errorf("the parent is gone: %w", err))
	}()
	<-ctx.Done()
	return context.Cause(ctx)
}

// maintainAndTell goes on as soon as a step was told of: the parent kills it at whatever it is at.
func maintainAndTell(store *Store) error {
	ctx := context.Background()
	epochs, err := store.Acquire(ctx, 1)
	if err != nil {
		return err
	}
	steps := 0
	store.maintainer.step = func() {
		steps++
		fmt.Println("step", steps)
		key := fmt.Appendf(nil, "xstep%d", steps)
		_, err = store.Commit(ctx, persistence.Batch{Groups: []persistence.Group{{Shard: 1, Epoch: epochs[0], Puts: []persistence.Put{{Key: key}}}}})
	}
	if _, fault := store.Reclaim(ctx, nil); fault != nil || err != nil {
		return fmt.Errorf("reclaim: %w, %w", fault, err)
	}
	fmt.Println("done")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
