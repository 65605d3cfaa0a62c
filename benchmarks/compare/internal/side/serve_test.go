package side

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// counting is a side that counts its rounds, and fails in the third.
type counting struct {
	p      Params
	rounds int
	closed *bool
}

func (c *counting) Round(context.Context) (Figures, error) {
	if c.rounds++; c.rounds == 3 {
		return nil, errors.New("thrice is too often")
	}
	return Figures{"round": float64(c.rounds), "known": float64(c.p.Known)}, nil
}

func (c *counting) Close() error {
	*c.closed = true
	return nil
}

func TestAChildMeasuresARoundForEachLineUntilItFails(t *testing.T) {
	closed := false
	openers := map[string]Opener{"counting": func(_ context.Context, p Params) (Side, error) { return &counting{p: p, closed: &closed}, nil }}
	var out bytes.Buffer
	err := Serve(t.Context(), openers, "counting", strings.NewReader(`{"params":{"Known":7}} {} {} {} {}`), &out)
	if err == nil || !closed {
		t.Errorf("error %v, closed: %v", err, closed)
	}
	want := "{}\n" + `{"figures":{"known":7,"round":1}}` + "\n" + `{"figures":{"known":7,"round":2}}` + "\n" + `{"error":"thrice is too often"}` + "\n"
	if out.String() != want {
		t.Errorf("answered\n%swant\n%s", out.String(), want)
	}
}

func TestAChildEndsWithItsInput(t *testing.T) {
	closed := false
	openers := map[string]Opener{"counting": func(_ context.Context, p Params) (Side, error) { return &counting{p: p, closed: &closed}, nil }}
	var out bytes.Buffer
	if err := Serve(t.Context(), openers, "counting", strings.NewReader(`{"params":{}} {}`), &out); err != nil || !closed {
		t.Errorf("error %v, closed: %v", err, closed)
	}
}

func TestAnUnknownSideIsToldByName(t *testing.T) {
	var out bytes.Buffer
	if err := Serve(t.Context(), nil, "counted", strings.NewReader(`{"params":{}}`), &out); err == nil || !strings.Contains(out.String(), `\"counted\"`) {
		t.Errorf("error %v, answered %s", err, out.String())
	}
}

func TestWhatAChildSaysIsKeptFromItsEnd(t *testing.T) {
	var said tail
	for range 3_000 {
		if _, err := said.Write([]byte("earlier\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := said.Write([]byte("at last\n")); err != nil {
		t.Fatal(err)
	}
	if got := said.String(); len(got) > 8<<10 || !strings.HasSuffix(got, "earlier\nat last") {
		t.Errorf("%d bytes are kept, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}
