package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/isolation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAMeasurementIsPrintedAndDrawn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "isolation.svg")
	var out, errOut bytes.Buffer
	args := []string{
		"-svg", path, "-rate", "500", "-doomed", "100", "-members", "1", "-rounds", "1", "-before", "200ms", "-after", "50ms", "-limit", "20s",
		"-dir", t.TempDir(), "-committed",
	}
	if err := run(t.Context(), args, &out, &errOut); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "inline in propose") || errOut.Len() > 0 {
		t.Errorf("printed %q and on stderr %q, want the table alone", out.String(), errOut.String())
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words := wordsIn(t, image)
	for _, want := range []string{
		"What proposals feel while 100 conversations expire at once", "Deleted inline, by whoever proposes",
		"Deleted by a paced reaper: Parley's default", "all deleted after", "p99.9", "the last of 700 rows", "seconds since the moment of expiry",
		"committed", "0 s",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in the picture: %s", want, words)
		}
	}
}

func TestAResultWithoutLatenciesCanBeDrawn(t *testing.T) {
	image, err := render(&isolation.Result{Config: isolation.Config{Window: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	wordsIn(t, image)
}

func TestUnknownFlagsAreRefused(t *testing.T) {
	var out, errOut bytes.Buffer
	if err := run(t.Context(), []string{"-colour", "red"}, &out, &errOut); err == nil || !strings.Contains(errOut.String(), "-colour") {
		t.Errorf("got error %v and on stderr %q", err, errOut.String())
	}
	if err := run(t.Context(), []string{"-help"}, &out, &errOut); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got error %v, want %v", err, flag.ErrHelp)
	}
}

func TestALatencyIsToldInTwoDigits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "–",
		7 * time.Microsecond:     "7 µs",
		849 * time.Microsecond:   "850 µs",
		1230 * time.Microsecond:  "1.2 ms",
		time.Millisecond:         "1 ms",
		12345 * time.Microsecond: "12 ms",
		118 * time.Millisecond:   "120 ms",
		time.Second:              "1 s",
		5190 * time.Millisecond:  "5.2 s",
		72 * time.Second:         "72 s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestTicksStandAtWholeStepsWithinTheAxis(t *testing.T) {
	labels := func(low, high float64) string {
		var all []string
		for _, tick := range secondTicks(low, high) {
			all = append(all, tick.Label)
		}
		return strings.Join(all, " ")
	}
	if got := labels(-0.95, 3.2); got != "0 s 1 s 2 s 3 s" {
		t.Errorf("seconds: %s", got)
	}
	if got := labels(-1, 30); got != "0 s 3 s 6 s 9 s 12 s 15 s 18 s 21 s 24 s 27 s 30 s" {
		t.Errorf("many seconds: %s", got)
	}
	var decades []string
	for _, tick := range latencyTicks(0.3, 2000) {
		decades = append(decades, tick.Label)
	}
	if got := strings.Join(decades, ", "); got != "1 ms, 10 ms, 100 ms, 1 s" {
		t.Errorf("latencies: %s", got)
	}
}

// wordsIn returns the text of an SVG, which must be well-formed.
func wordsIn(t *testing.T, image []byte) string {
	t.Helper()
	var words []string
	decoder := xml.NewDecoder(bytes.NewReader(image))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(words, " ")
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			words = append(words, strings.Fields(string(text))...)
		}
	}
}
