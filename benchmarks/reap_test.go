package benchmarks_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/reaping"
)

const (
	doomedConversations = 2_000
	doomedMembers       = 4
)

// BenchmarkReap holds the reaper, unpaced, against Badger's WriteBatch, which deletes the same rows in batches of the same size under the same
// options. The reaper also judges each conversation, guards each row by its generation, publishes an event, leaves a tombstone and tells each member's devices of the removal. ratio is how many
// rows it deletes in the time in which the WriteBatch deletes one. (ns/op includes the preparations of both.)
func BenchmarkReap(b *testing.B) {
	var took, raw time.Duration
	rows := 0
	for b.Loop() {
		reaped, deleted, err := reaping.Reap(b.Context(), b.TempDir(), doomedConversations, doomedMembers)
		if err != nil {
			b.Fatal(err)
		}
		deletedRaw, err := reaping.DeleteRaw(b.TempDir(), deleted)
		if err != nil {
			b.Fatal(err)
		}
		took += reaped
		raw += deletedRaw
		rows += len(deleted)
	}
	b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/raw.Seconds(), "raw-rows/s")
	b.ReportMetric(raw.Seconds()/took.Seconds(), "ratio")
}
