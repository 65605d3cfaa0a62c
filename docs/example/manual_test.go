package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documents show is code that compiles, and that tests run: each block stands in one of the files named, but for its indentation.
func TestEveryBlockOfCodeInTheDocumentsIsCodeThatIsTested(t *testing.T) {
	for _, document := range []struct {
		path    string
		blocks  func(text string) []string
		atLeast int
		sources []string // patterns
	}{
		{"../embedding.md", fenced, 10, []string{"*.go", "../../actors/actorstest/example_test.go"}},
		{"../../README.md", fenced, 1, []string{"../../actors/example_test.go", "../../actors/actorstest/example_test.go"}},
		{"../../actors/actorstest/doc.go", indented, 5, []string{"../../actors/actorstest/example_test.go"}},
	} {
		var sources []string
		for _, pattern := range document.sources {
			paths, err := filepath.Glob(pattern)
			if err != nil || len(paths) == 0 {
				t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
			}
			for _, path := range paths {
				sources = append(sources, flat(read(t, path)))
			}
		}
		blocks := document.blocks(read(t, document.path))
		if len(blocks) < document.atLeast {
			t.Errorf("%s: %d blocks of code were found, want at least %d", document.path, len(blocks), document.atLeast)
		}
		for _, block := range blocks {
			if !inOne(sources, flat(block)) {
				t.Errorf("%s: no tested file has\n%s", document.path, block)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced returns the blocks of Go in Markdown.
func fenced(text string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// indented returns the blocks of code in the comment of a package.
func indented(text string) (blocks []string) {
	for _, m := range regexp.MustCompile(`(?m)(^//\t.*\n(//\n(//\t)?)?)+`).FindAllString(text, -1) {
		blocks = append(blocks, regexp.MustCompile(`(?m)^//`).ReplaceAllString(m, ""))
	}
	return blocks
}

// flat returns the lines without their indentation and without empty ones between them, each ended.
func flat(text string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func inOne(sources []string, block string) bool {
	for _, source := range sources {
		if strings.Contains(source, block) {
			return true
		}
	}
	return false
}
