package load

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/workload"
)

// lateDriver is how late the driver may send before a note says so, and lateShare, beside that, which part of the latency that may be.
const (
	lateDriver = 5 * time.Millisecond
	lateShare  = 0.5
)

// notes says what makes the figures doubtful.
func (r *run) notes(total *part, ended time.Duration) (notes []string) {
	note := func(text string, values ...any) { notes = append(notes, fmt.Sprintf(text, values...)) }
	count := func(n uint64) string { return humanize.Comma(int64(n)) }
	if total.missed > 0 {
		note("%s of %s proposals were dropped, because the driver itself could not send them in the time of the run: this machine cannot make this rate.", count(total.missed), count(total.planned))
	}
	if full := total.dropped - total.missed; full > 0 {
		note("%s of %s proposals were dropped, because %s were unanswered: the target cannot take this rate, and the percentiles, which are of the others, are too good.",
			count(full), count(total.planned), count(uint64(r.config.Outstanding)))
	}
	if total.unanswered > 0 {
		note("%s proposals were not answered in time. They count in the percentiles for as long as they were waited for, which is too short.", count(total.unanswered))
	}
	if n := total.tally.NotAccepted(); n > 0 {
		note("%s proposals were refused or failed; they are not in the percentiles.", count(n))
	}
	if total.asksUnanswered+total.asksFailed > 0 {
		note("%s of %s users were not told what changed.", count(total.asksUnanswered+total.asksFailed), count(total.asked))
	}
	if r.recorder.fault != nil {
		note("The first fault: %v.", r.recorder.fault)
	}
	if n := r.workload.Expiring(); ended > r.config.until(r.workload, workload.Expires) && uint64(n) > r.recorder.expired {
		note("%s of %s expiring conversations were still there at the end.", count(uint64(n)-r.recorder.expired), count(uint64(n)))
	}
	sent := time.Duration(total.sent.ValueAtQuantile(99)) * time.Microsecond
	if took := time.Duration(total.accepted.ValueAtQuantile(99)) * time.Microsecond; sent > lateDriver && float64(sent) > lateShare*float64(took) {
		note("The driver itself was late: one of a hundred calls was sent %v or more after it was due. The latencies hold that too, and say more of this machine than of the target.", sent.Round(time.Millisecond))
	}
	if total.accepted.TotalCount() < 1000 {
		note("There are few answers: percentiles beyond the 99th say little.")
	}
	if err := r.sampler.err; err != nil {
		note("Heap and garbage collection are not known: %v.", err)
	}
	return notes
}
