// Package report writes what was compared: as a table for a terminal, as JSON for programs, and as the page docs/benchmarks.md.
package report
