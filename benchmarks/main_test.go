package benchmarks_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := removeLists(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code) //nolint:forbidigo // goleak leaves it to the cleanup
	}))
}

// ctx is for what is made once for all benchmarks, and so must not end with one of them.
func ctx() context.Context { return context.Background() }
