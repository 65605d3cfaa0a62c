package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/benchmarks/compare/internal/tradeoff"
)

func TestTradeoffsAreMeasuredAndDrawn(t *testing.T) {
	if testing.Short() {
		t.Skip("every point has an engine to start, and some are killed")
	}
	dir := t.TempDir()
	o := &tradeoffOptions{out: t.TempDir(), source: "../..", dir: &dir, config: tradeoff.Tiny()}
	var errOut bytes.Buffer
	if err := measureTradeoffs(t.Context(), o, &errOut); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(o.out, "tradeoffs.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 5ms |", "| 200ms |", "| 1,000 |", "| 40 |", "reaper, paced"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
	for name, want := range map[string]string{
		"tradeoff-flush.svg": "flush interval", "tradeoff-residency.svg": "bound on active", "tradeoff-deletion.svg": "expire at one moment",
	} {
		if !strings.Contains(string(page), "("+name+")") {
			t.Errorf("%s is not shown", name)
		}
		image, err := os.ReadFile(filepath.Join(o.out, name))
		if err != nil {
			t.Fatal(err)
		}
		if words := wordsIn(t, image); !strings.Contains(words, want) {
			t.Errorf("%s: %q is not in the picture: %s", name, want, words)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestLinesAreCountedInTheRepositoryAlone(t *testing.T) {
	dir := t.TempDir()
	o := &tradeoffOptions{out: t.TempDir(), source: t.TempDir(), dir: &dir, config: tradeoff.Tiny()}
	if err := measureTradeoffs(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "is") || !strings.Contains(err.Error(), o.source) {
		t.Errorf("got error %v", err)
	}
}

// wordsIn returns the text of an SVG, which must be well-formed.
func wordsIn(t *testing.T, image []byte) string {
	t.Helper()
	var words []string
	decoder := xml.NewDecoder(bytes.NewReader(image))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(words, " ")
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			words = append(words, strings.Fields(string(text))...)
		}
	}
}
