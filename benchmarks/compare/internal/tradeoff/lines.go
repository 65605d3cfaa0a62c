package tradeoff

import (
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
)

// inlineFiles delete what has expired in the way of whoever proposes: package isolation's own, which finds nothing by itself.
func inlineFiles() []string { return []string{"benchmarks/isolation/inline.go"} }

// reaperFiles are the reaper: what finds what is due, has it judged, deletes it in batches at a pace, and goes on after failures.
func reaperFiles() []string {
	files := []string{"agenda", "backlog", "breaker", "deletion", "held", "judge", "judging", "overdue", "pace", "reaper", "reaping", "strain"}
	for i, name := range files {
		files[i] = "actors/" + name + ".go"
	}
	return files
}

// countDesigns counts the lines of code of both designs, without comments and blank lines.
func countDesigns(source string) (inline, reaper int, err error) {
	if inline, err = countLines(source, inlineFiles()); err != nil {
		return 0, 0, err
	}
	reaper, err = countLines(source, reaperFiles())
	return inline, reaper, err
}

func countLines(source string, files []string) (int, error) {
	sum := 0
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(source, filepath.FromSlash(name)))
		if err != nil {
			return 0, fmt.Errorf("counting lines (is %q the repository?): %w", source, err)
		}
		sum += linesOf(text)
	}
	return sum, nil
}

// linesOf returns how many lines of a Go file have code on them.
func linesOf(text []byte) int {
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	lines := map[int]bool{}
	for {
		at, kind, literal := s.Scan()
		if kind == token.EOF {
			return len(lines)
		}
		if kind == token.SEMICOLON && literal == "\n" { // put in by the scanner
			continue
		}
		lines[file.Line(at)] = true
	}
}
