package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

var errEnded = errors.New("exit status 0")

// process is an `engine serve` that a test started, and what it logged so far.
type process struct {
	command *exec.Cmd
	url     string
	metrics string // where metrics are served

	mu    sync.Mutex
	grown *sync.Cond // there is a new line, or there will be no more
	lines []string
	ended bool
	err   error // of the end
}

// launch starts `engine serve` in a directory, on a free port, and returns once it says that it is ready. It is killed when ctx ends.
func launch(ctx context.Context, dir string, args ...string) (*process, error) {
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)
	p := &process{command: exec.CommandContext(ctx, "engine", args...)}
	p.grown = sync.NewCond(&p.mu)
	p.command.Dir = dir
	out, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err = p.command.Start(); err != nil {
		return nil, err
	}
	go p.collect(out)
	line, err := p.logged(`"message":"ready"`)
	if err != nil {
		return nil, err
	}
	var ready struct{ Listen, Metrics string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return nil, err
	}
	p.url, p.metrics = "http://"+ready.Listen, "http://"+ready.Metrics
	return p, nil
}

// collect reads the log to its end and then waits for the process.
func (p *process) collect(out io.Reader) {
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, scanner.Text())
		p.mu.Unlock()
		p.grown.Broadcast()
	}
	err := errors.Join(scanner.Err(), p.command.Wait())
	p.mu.Lock()
	p.ended, p.err = true, err
	p.mu.Unlock()
	p.grown.Broadcast()
}

// logged waits for a line of the log that matches, and returns the first. It fails once there can be none.
func (p *process) logged(pattern string) (string, error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for seen := 0; ; {
		for ; seen < len(p.lines); seen++ {
			if match.MatchString(p.lines[seen]) {
				return p.lines[seen], nil
			}
		}
		if p.ended {
			return "", fmt.Errorf("engine ended without logging %s:\n%s\n%w", pattern, strings.Join(p.lines, "\n"), cmp.Or(p.err, errEnded))
		}
		p.grown.Wait()
	}
}

func (p *process) signal(s os.Signal) error { return p.command.Process.Signal(s) }

// wait waits for the end and returns how it was: "exit status 1", "signal: killed", or "" for exit code 0; and the whole log.
func (p *process) wait() (end, log string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		p.grown.Wait()
	}
	if p.err != nil {
		end = p.err.Error()
	}
	return end, strings.Join(p.lines, "\n") + "\n"
}
