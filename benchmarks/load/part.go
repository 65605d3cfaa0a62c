package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// part is what is measured of the warm-up, or of one phase: of what was planned in it, whenever it was answered.
type part struct {
	name           string
	begins, ends   time.Duration // since the beginning of the run
	planned        uint64        // proposals, those dropped too
	dropped        uint64
	missed         uint64 // of those dropped, because the driver came to them too late
	unanswered     uint64
	tally          Tally
	accepted       *hdrhistogram.Histogram // proposals, from when they were planned
	turnedDown     *hdrhistogram.Histogram // refused or failed, likewise
	sent           *hdrhistogram.Histogram // calls, from when they were planned until they were sent
	asked          uint64
	asksUnanswered uint64
	asksFailed     uint64
	asks           *hdrhistogram.Histogram
}

func newPart(name string, begins, ends time.Duration) *part {
	return &part{
		name: name, begins: begins, ends: ends, accepted: newHistogram(3), turnedDown: newHistogram(3), sent: newHistogram(3), asks: newHistogram(3),
	}
}

// merge adds another part, which comes later.
func (p *part) merge(o *part) {
	p.begins, p.ends = min(p.begins, o.begins), max(p.ends, o.ends)
	p.planned += o.planned
	p.dropped += o.dropped
	p.missed += o.missed
	p.unanswered += o.unanswered
	p.tally.add(&o.tally)
	p.asked += o.asked
	p.asksUnanswered += o.asksUnanswered
	p.asksFailed += o.asksFailed
	p.accepted.Merge(o.accepted)
	p.turnedDown.Merge(o.turnedDown)
	p.sent.Merge(o.sent)
	p.asks.Merge(o.asks)
}

// window is what is measured of a short time, so that one sees how it went.
type window struct {
	planned, dropped           uint64                  // proposals planned in it
	latency                    *hdrhistogram.Histogram // of those that were accepted; nil: there were none
	accepted, turnedDown, asks uint64                  // answers that came in it
	expired                    uint64                  // generations gone in it
	latest                     time.Duration           // of those, the one most late
}
