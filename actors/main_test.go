package actors_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if plan, ok := os.LookupEnv(killedEnv); ok {
		os.Exit(runKilled(plan)) //nolint:forbidigo // this is that process's main
	}
	goleak.VerifyTestMain(m)
}
