package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// newLogger returns the process's logger: lines for a person, or a JSON object each. An error names the flags that are wrong.
func newLogger(out io.Writer, format, level string) (zerolog.Logger, error) {
	var faults []error
	least := zerolog.InfoLevel
	switch level {
	case "trace":
		least = zerolog.TraceLevel
	case "debug":
		least = zerolog.DebugLevel
	case "info":
	case "warn":
		least = zerolog.WarnLevel
	case "error":
		least = zerolog.ErrorLevel
	default:
		faults = append(faults, fmt.Errorf("--log-level: must be trace, debug, info, warn or error, is %q", level))
	}
	switch format {
	case "json":
	case "console":
		out = zerolog.ConsoleWriter{Out: out, NoColor: !isTerminal(out), TimeFormat: "15:04:05.000"}
	default:
		faults = append(faults, fmt.Errorf("--log-format: must be console or json, is %q", format))
	}
	if len(faults) > 0 {
		return zerolog.Nop(), errors.Join(faults...)
	}
	// Badger and the engine log from several goroutines, and a console line takes more than one write.
	return zerolog.New(zerolog.SyncWriter(out)).Level(least).Hook(stamped{}), nil
}

// stamped puts the time on each line, to the millisecond: the logger's own stamp has seconds, unless a setting of the whole process is changed.
type stamped struct{}

// Run implements [zerolog.Hook].
func (stamped) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().Format("2006-01-02T15:04:05.000Z07:00"))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// badgerLog passes the store's messages on. What Badger calls information is of use only to somebody who looks into Badger, and so is a level less
// here.
func badgerLog(log zerolog.Logger) func(slog.Level, string) {
	log = log.With().Str("from", "badger").Logger()
	return func(level slog.Level, message string) {
		as := zerolog.TraceLevel
		switch {
		case level >= slog.LevelError:
			as = zerolog.ErrorLevel
		case level >= slog.LevelWarn:
			as = zerolog.WarnLevel
		case level >= slog.LevelInfo:
			as = zerolog.DebugLevel
		}
		log.WithLevel(as).Msg(strings.TrimSpace(message))
	}
}
