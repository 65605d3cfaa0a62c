package journal

import (
	"sync/atomic"
	"time"
)

type counts struct {
	flushes, rows, failures, logs atomic.Uint64
	lastErr                       atomic.Pointer[error]
}

// Stats is what a journal counts.
type Stats struct {
	Rows, Bytes              int
	Age                      time.Duration
	Flushes, Flushed, Failed uint64
	Logs                     uint64 // batches that were logged
	Err                      error
}

// Stats returns what the journal counts.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	var s Stats
	for b := range j.oldestFirst() {
		if s.Rows == 0 && b.rows > 0 {
			s.Age = j.config.Now().Sub(b.oldest)
		}
		s.Rows += b.rows
		s.Bytes += b.bytes
	}
	owed := int(j.owed.Load())
	s.Rows, s.Bytes = s.Rows+owed, s.Bytes+owed*owedRowBytes
	j.mu.Unlock()
	s.Logs = j.counts.logs.Load()
	s.Flushes, s.Flushed, s.Failed = j.counts.flushes.Load(), j.counts.rows.Load(), j.counts.failures.Load()
	if err := j.counts.lastErr.Load(); err != nil {
		s.Err = *err
	}
	return s
}
