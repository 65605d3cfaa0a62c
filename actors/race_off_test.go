//go:build !race

package actors_test

// raceDetector is whether the race detector runs.
const raceDetector = false
