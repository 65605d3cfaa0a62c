package main

import (
	"github.com/rs/zerolog"

	"github.com/parley-im/parley/persistence/badgerstore"
)

// maintenanceLog logs each run of a store's maintenance.
func maintenanceLog(log zerolog.Logger) func(badgerstore.Run) {
	return func(run badgerstore.Run) {
		level := zerolog.InfoLevel
		if run.Err != nil {
			level = zerolog.WarnLevel
		}
		log.WithLevel(level).
			Err(run.Err).
			Int64("before_bytes", run.Before).
			Int64("after_bytes", run.After).
			Int("steps", run.Steps).
			Bool("yielded", run.Yielded).
			Float64("took_ms", milliseconds(run.Took)).
			Float64("worked_ms", milliseconds(run.Worked)).
			Msg("disk space given back")
	}
}
