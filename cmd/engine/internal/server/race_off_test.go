//go:build !race

package server

// raceDetector is whether the race detector runs.
const raceDetector = false
