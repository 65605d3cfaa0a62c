package program

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestAProgramThatEndsAtOnceIsToldWithWhatItSaid(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	notYet := func(context.Context) error { return errors.New("not yet") }
	if _, err := Start(t.Context(), notYet, shell, "-c", "echo the port is taken; exit 3"); err == nil || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("got error %v", err)
	}
}

func TestAProgramIsAskedToEnd(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("there is no sleep")
	}
	p, err := Start(t.Context(), func(context.Context) error { return nil }, sleep, "600")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNotThereIsToldByName(t *testing.T) {
	if _, err := Start(t.Context(), nil, "/no/such/program"); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("got error %v", err)
	}
}
