//go:build race

package actors_test

// raceDetector is whether the race detector runs, which makes everything about ten times slower.
const raceDetector = true
