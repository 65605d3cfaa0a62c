package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestALineHasTheTimeToTheMillisecond(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Info().Msg("hello")
	var line struct{ Level, Message, Time string }
	if err = json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	when, err := time.Parse("2006-01-02T15:04:05.000Z07:00", line.Time)
	if err != nil || time.Since(when).Abs() > time.Minute || line.Level != "info" || line.Message != "hello" {
		t.Errorf("line is %+v (%v)", line, err)
	}

	out.Reset()
	console, err := newLogger(&out, "console", "info")
	if err != nil {
		t.Fatal(err)
	}
	console.Info().Str("conversation", "group:42").Msg("hello")
	if text := out.String(); !strings.HasSuffix(text, " INF hello conversation=group:42\n") || len(text) < len("15:04:05.000") || text[8] != '.' {
		t.Errorf("console line is %q", text)
	}
}

func TestBadgersMessagesAreALevelLessHere(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelError: "error", slog.LevelWarn: "warn", slog.LevelInfo: "debug", slog.LevelDebug: "trace",
	} {
		var out bytes.Buffer
		log, err := newLogger(&out, "json", "trace")
		if err != nil {
			t.Fatal(err)
		}
		badgerLog(log)(level, "compacted\n")
		var line struct{ Level, Message, From string }
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, &out)
		}
		if line.Level != want || line.Message != "compacted" || line.From != "badger" {
			t.Errorf("%v became %+v, want level %s", level, line, want)
		}
	}
}
