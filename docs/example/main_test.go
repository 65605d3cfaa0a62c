package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestTheProgramRunsOnADisk(t *testing.T) {
	var out bytes.Buffer
	if err := serve(t.Context(), &out, zerolog.New(&out).Level(zerolog.WarnLevel)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "team:lunch: 8 messages in the log, the last that the engine knows is 8") {
		t.Errorf("it printed\n%s", out.String())
	}
}
