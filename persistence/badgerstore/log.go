package badgerstore

import (
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog hands Badger's messages to the host. Left alone, Badger writes them to standard error.
type badgerLog func(level slog.Level, message string)

func (l badgerLog) log(level slog.Level, format string, args []any) {
	l(level, strings.TrimSpace(fmt.Sprintf(format, args...)))
}
