package badgerstore

import (
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog hands Badger's messages to the host. Left alone, Badger writes them to standard error.
type badgerLog func(level slog.Level, message string)

func (l badgerLog) Errorf(format string, args ...any)   { l.log(slog.LevelError, format, args) }
func (l badgerLog) Warningf(format string, args ...any) { l.log(slog.LevelWarn, format, args) }
func (l badgerLog) Infof(format string, args ...any)    { l.log(slog.LevelInfo, format, args) }
func (l badgerLog) Debugf(format string, args ...any)   { l.log(slog.LevelDebug, format, args) }

func (l badgerLog) log(level slog.Level, format string, args []any) {
	l(level, strings.TrimSpace(fmt.Sprintf(format, args...)))
}
