//go:build race

package server

// raceDetector is whether the race detector runs, which makes everything about ten times slower.
const raceDetector = true
