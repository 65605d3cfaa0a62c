package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptTime bounds a script: what it started is killed then.
const scriptTime = 2 * time.Minute

// TestScripts runs testdata/script. Besides testscript's own commands there are:
//
//	start NAME [FLAG...]      starts `engine serve` with the flags and waits until it is ready; $NAME_listen is its address
//	logged NAME PATTERN       waits for a line of its log, which becomes stdout
//	signal NAME TERM|INT|KILL
//	ended NAME [HOW]          waits for its end, which must be HOW ("exit status 1", "signal: killed"; none: exit code 0); its log becomes stderr
//	call NAME CALL BODY       posts JSON to a method; the answer becomes stdout; with ! the status must not be 200
//	get NAME PATH STATUS      gets a page, which must have the status; it becomes stdout. metrics:PATH is at the address that metrics are served at
//	hash DIR FILE             writes into a file what is in a directory: each name, when it was changed, and a hash of its content
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
			s := &script{ctx: ctx, processes: map[string]*process{}, client: &http.Client{Transport: &http.Transport{}}}
			env.Values[scriptKey{}] = s
			env.Defer(func() {
				cancel()
				for _, p := range s.processes {
					p.wait()
				}
				s.client.CloseIdleConnections()
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": command((*script).start, 1, 100), "logged": command((*script).logged, 2, 2), "signal": command((*script).signal, 2, 2),
			"ended": command((*script).ended, 1, 2), "call": command((*script).call, 3, 3), "get": command((*script).get, 3, 3),
			"hash": command((*script).hash, 2, 2),
		},
	})
}

type scriptKey struct{}

// script is the state of one script.
type script struct {
	ctx       context.Context
	processes map[string]*process
	client    *http.Client
}

// command makes a method a command that takes so many arguments.
func command(run func(*script, *testscript.TestScript, bool, []string) error, least, most int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s, ok := ts.Value(scriptKey{}).(*script)
		if !ok || len(args) < least || len(args) > most {
			ts.Fatalf("%d arguments, want %d to %d", len(args), least, most)
		}
		ts.Check(run(s, ts, neg, args))
	}
}

func (s *script) process(name string) (*process, error) {
	if p := s.processes[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("nothing was started by the name %s", name)
}

func (s *script) start(ts *testscript.TestScript, _ bool, args []string) error {
	p, err := launch(s.ctx, ts.MkAbs("."), args[1:]...)
	if err != nil {
		return err
	}
	s.processes[args[0]] = p
	ts.Setenv(args[0]+"_listen", strings.TrimPrefix(p.url, "http://"))
	return nil
}

func (s *script) logged(ts *testscript.TestScript, _ bool, args []string) error {
	p, err := s.process(args[0])
	if err != nil {
		return err
	}
	line, err := p.logged(args[1])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(ts.Stdout(), line)
	return err
}

func (s *script) signal(_ *testscript.TestScript, _ bool, args []string) error {
	p, err := s.process(args[0])
	if err != nil {
		return err
	}
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt, "KILL": os.Kill}
	signal, ok := signals[args[1]]
	if !ok {
		return fmt.Errorf("no signal %s", args[1])
	}
	return p.signal(signal)
}

func (s *script) ended(ts *testscript.TestScript, _ bool, args []string) error {
	p, err := s.process(args[0])
	if err != nil {
		return err
	}
	want := strings.Join(args[1:], "")
	end, log := p.wait()
	if _, err := io.WriteString(ts.Stderr(), log); err != nil {
		return err
	}
	if end != want {
		return fmt.Errorf("%s ended with %q, want %q", args[0], end, want)
	}
	return nil
}

func (s *script) call(ts *testscript.TestScript, neg bool, args []string) error {
	p, err := s.process(args[0])
	if err != nil {
		return err
	}
	status, err := s.do(ts, http.MethodPost, p.url+"/parley.v1.ConversationService/"+args[1], args[2])
	if err != nil {
		return err
	}
	if (status != http.StatusOK) != neg {
		return fmt.Errorf("status %d", status)
	}
	return nil
}

func (s *script) get(ts *testscript.TestScript, _ bool, args []string) error {
	p, err := s.process(args[0])
	if err != nil {
		return err
	}
	url := p.url + args[1]
	if path, ok := strings.CutPrefix(args[1], "metrics:"); ok {
		url = p.metrics + path
	}
	status, err := s.do(ts, http.MethodGet, url, "")
	if err != nil {
		return err
	}
	if fmt.Sprint(status) != args[2] {
		return fmt.Errorf("status %d, want %s", status, args[2])
	}
	return nil
}

func (s *script) hash(ts *testscript.TestScript, _ bool, args []string) error {
	var lines strings.Builder
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s %v %v %x\n", path, info.Mode(), info.ModTime().UnixNano(), sha256.Sum256(content))
		return nil
	})
	if err != nil {
		return err
	}
	return os.WriteFile(ts.MkAbs(args[1]), []byte(lines.String()), 0o600)
}

// do sends a request; the answer becomes the script's stdout.
func (s *script) do(ts *testscript.TestScript, method, url, body string) (status int, err error) {
	request, err := http.NewRequestWithContext(s.ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	_, err = ts.Stdout().Write(append(slices.Clip(answer), '\n'))
	return response.StatusCode, err
}
