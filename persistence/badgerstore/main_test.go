package badgerstore

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or where the environment says so, what a test wants done in a process of its own.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role, os.Getenv(childDir))) //nolint:forbidigo // this is the child's main
	}
	dir, err := os.MkdirTemp("", "parley-settled-")
	if err != nil {
		panic(err)
	}
	template.dir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(dir); err != nil {
			panic(err)
		}
		os.Exit(code) //nolint:forbidigo // this is what Cleanup is for
	}))
}
