package main

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what commands print into docs/explain.md")

const manual = "../../docs/explain.md"

// consoles are the blocks of the manual that show a command and what it prints.
var consoles = regexp.MustCompile("(?s)```console\n\\$ engine ([^\n]*)\n(.*?)```")

// jsonLines is how much of JSON the manual shows.
const jsonLines = 24

// TestTheManualShowsWhatExplainPrints runs each command of docs/explain.md where its text says, and compares all but times.
func TestTheManualShowsWhatExplainPrints(t *testing.T) {
	page, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	policies := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if policies == nil {
		t.Fatal("the manual shows no policies")
	}
	if err := os.WriteFile(filepath.Join(dir, "engine.yaml"), policies[1], 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	server, err := launch(ctx, dir, "--config", "engine.yaml", "--data", "data")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"conversation":"flash:1","post":{"seq":"9","sender":"ann","members":["bob"]}}`,
		`{"conversation":"group:42","post":{"seq":"1","sender":"ann","members":["bob"]}}`,
		`{"conversation":"group:42","post":{"seq":"2","sender":"ann","mentions":["bob"]}}`,
		`{"conversation":"group:42","post":{"seq":"3","sender":"ann","silent":true}}`,
		`{"conversation":"group:42","post":{"seq":"4","sender":"bob","unattended":true}}`,
		`{"conversation":"group:42","post":{"seq":"5","sender":"ann","mentionAll":true,"preview":"aGVsbG8="}}`,
		`{"conversation":"group:42","read":{"user":"bob","seq":"1"}}`,
		`{"conversation":"group:42","set":{"user":"bob","tags":"5"}}`,
	} {
		propose(ctx, t, server.url, body)
	}
	if _, err := server.logged(`"conversation":"flash:1"`); err != nil {
		t.Fatal(err)
	}
	blocks := consoles.FindAllSubmatch(page, -1)
	if len(blocks) != 4 {
		t.Fatalf("the manual shows %d commands, want 4", len(blocks))
	}
	run := func(block [][]byte, more ...string) {
		t.Helper()
		command := exec.CommandContext(ctx, "engine", append(strings.Fields(string(block[1])), more...)...)
		command.Dir = dir
		command.Stderr = os.Stderr
		printed, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", block[1], err)
		}
		if lines := bytes.SplitAfter(printed, []byte("\n")); bytes.Contains(block[1], []byte("--json")) && len(lines) > jsonLines {
			printed = append(bytes.Join(lines[:jsonLines], nil), "…\n"...)
		}
		if *update {
			page = bytes.Replace(page, block[0], []byte("```console\n$ engine "+string(block[1])+"\n"+string(printed)+"```"), 1)
			return
		}
		if diff := cmp.Diff(timeless(block[2]), timeless(printed)); diff != "" {
			t.Errorf("engine %s (-manual +printed):\n%s\nit prints:\n%s", block[1], diff, printed)
		}
	}
	offline := 0
	for _, block := range blocks {
		if !bytes.Contains(block[1], []byte("--data")) {
			run(block, "--server", server.url)
		}
	}
	if err := server.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end, log := server.wait(); end != "" {
		t.Fatalf("the server ended with %q:\n%s", end, log)
	}
	for _, block := range blocks {
		if bytes.Contains(block[1], []byte("--data")) {
			run(block)
			offline++
		}
	}
	if offline != 1 {
		t.Errorf("%d commands of the manual ask a directory, want 1", offline)
	}
	if *update {
		if err := os.WriteFile(manual, page, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func propose(ctx context.Context, t *testing.T, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/parley.v1.ConversationService/Propose", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", body, response.Status)
	}
}

// timeless is what was printed without what depends on when that was, and without where lines end.
func timeless(printed []byte) string {
	s := regexp.MustCompile(`\s+`).ReplaceAllString(string(printed), " ")
	for pattern, instead := range map[string]string{
		`\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?`:    "TIME",
		`\((in )?[0-9.]+( days|[a-zµ][0-9.a-zµ]*)( ago)?\)`: "(AWAY)",
		`, [0-9.]+(ms|µs|s)( later| before)`:                ", SOME$2",
		`that was written is \d+`:                           "that was written is N",
	} {
		s = regexp.MustCompile(pattern).ReplaceAllString(s, instead)
	}
	return s
}
