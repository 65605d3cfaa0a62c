package load

import (
	"cmp"
	"time"

	"github.com/parley-im/parley/benchmarks/workload"
)

// Report says what came of a run. Times are in seconds since the load began, the warm-up included; latencies in milliseconds, from when each proposal was planned.
type Report struct {
	Target      string    `json:"target"` // for a person; whoever calls Run sets it
	Begun       time.Time `json:"begun"`
	Interrupted bool      `json:"interrupted"` // it was ended before its time: everything is of what was done until then
	Settings    Settings  `json:"settings"`
	Machine     Machine   `json:"machine"` // that the load came from
	Total       Part      `json:"total"`   // of all phases, without the warm-up
	Phases      []Part    `json:"phases"`
	WarmUp      *Part     `json:"warm_up,omitempty"`
	Expiry      *Expiry   `json:"expiry,omitempty"` // where something was to expire
	Windows     []Window  `json:"windows"`          // of WindowSeconds each, from the beginning on, without what came after the load
	Samples     []Sample  `json:"samples"`
	// Notes are what makes figures doubtful, in words. None is a good sign.
	Notes         []string `json:"notes"`
	WindowSeconds float64  `json:"window_seconds"`
	// DrainSeconds is how long answers were waited for after the last call was planned.
	DrainSeconds float64 `json:"drain_seconds"`
}

// Settings are what the run was told.
type Settings struct {
	Workload        string  `json:"workload"`
	Conversations   int     `json:"conversations"`
	Members         int     `json:"members,omitempty"`
	Reads           float64 `json:"reads"`
	Skew            float64 `json:"skew,omitempty"`
	Hot             float64 `json:"hot,omitempty"`
	Expiring        int     `json:"expiring,omitempty"`
	ExpireOver      float64 `json:"expire_over_seconds,omitempty"`
	Askers          int     `json:"askers,omitempty"`
	Ack             string  `json:"ack"`
	Rate            float64 `json:"rate"`
	Arrivals        string  `json:"arrivals"`
	Batch           int     `json:"batch"`
	Outstanding     int     `json:"outstanding"`
	Seed            uint64  `json:"seed"`
	WarmUpSeconds   float64 `json:"warm_up_seconds"`
	DurationSeconds float64 `json:"duration_seconds"`
}

// Part is a phase, or all of them: what was planned in it, whenever it was answered.
type Part struct {
	Name        string  `json:"name"`
	FromSeconds float64 `json:"from_seconds"`
	Seconds     float64 `json:"seconds"`
	Planned     uint64  `json:"planned"` // proposals, of which each is dropped, unanswered, or in one count of the tally
	Dropped     uint64  `json:"dropped"` // were never sent: too many were unanswered, or the driver came to them too late
	Unanswered  uint64  `json:"unanswered"`
	Tally
	// AcceptedPerSecond is how many of those planned in a second were accepted.
	AcceptedPerSecond float64 `json:"accepted_per_second"`
	// Latency is of what was accepted, and of what is unanswered for as long as it was waited for.
	Latency *Latency `json:"latency,omitempty"`
	// TurnedDown is of what was refused or failed.
	TurnedDown *Latency `json:"turned_down,omitempty"`
	// Sent is how much later than planned calls were sent. It is in Latency: where it is large, the driver was at its limit.
	Sent *Latency `json:"sent,omitempty"`
	Asks *Asks    `json:"asks,omitempty"`
}

// Asks are the questions what changed that were all planned for the beginning of a phase.
type Asks struct {
	Asked      uint64   `json:"asked"`
	Failed     uint64   `json:"failed"`
	Unanswered uint64   `json:"unanswered"`
	Latency    *Latency `json:"latency,omitempty"` // of what was answered, and of what is unanswered for as long as it was waited for
}

// Expiry is what the reaper did of the conversations that were to expire.
type Expiry struct {
	Expiring    int      `json:"expiring"`
	Gone        uint64   `json:"gone"`         // before the end
	ByDeadline  bool     `json:"by_deadline"`  // false: they were deleted by proposals, as a server's policies and clock are its own
	TookSeconds float64  `json:"took_seconds"` // from the first deadline until the last of those was gone
	Lateness    *Latency `json:"lateness,omitempty"`
}

// Window is a short time. Latencies are of what was planned in it, the counts of answers of what was answered in it.
type Window struct {
	AtSeconds         float64 `json:"at_seconds"` // its beginning
	PlannedPerSecond  float64 `json:"planned_per_second"`
	DroppedPerSecond  float64 `json:"dropped_per_second"`
	AcceptedPerSecond float64 `json:"accepted_per_second"`
	TurnedPerSecond   float64 `json:"turned_down_per_second"`
	AsksPerSecond     float64 `json:"asks_per_second"`
	P50Ms             float64 `json:"p50_ms"` // these are 0 where nothing was accepted
	P99Ms             float64 `json:"p99_ms"`
	P999Ms            float64 `json:"p99_9_ms"`
	MaxMs             float64 `json:"max_ms"`
	GonePerSecond     float64 `json:"gone_per_second"` // generations
	LatenessMaxMs     float64 `json:"lateness_max_ms"` // of those
}

// Sample is how the engine's process was at a time. What is not known is 0.
type Sample struct {
	AtSeconds       float64 `json:"at_seconds"`
	HeapBytes       uint64  `json:"heap_bytes"`
	RSSBytes        uint64  `json:"rss_bytes"`
	Goroutines      uint64  `json:"goroutines"`
	GCCycles        uint64  `json:"gc_cycles"`         // since the process began
	GCPausesSeconds float64 `json:"gc_pauses_seconds"` // likewise
	DeletedRows     uint64  `json:"deleted_rows"`      // likewise
	Backlog         uint64  `json:"backlog"`
}

// report says what was measured, once all has ended.
func (r *run) report(began time.Time, ended, drained time.Duration, interrupted bool) *Report {
	rec := r.recorder
	report := &Report{
		Begun: began.UTC(), Interrupted: interrupted, Settings: settingsOf(r.workload, &r.config), Machine: thisMachine(),
		WindowSeconds: rec.step.Seconds(), DrainSeconds: (drained - ended).Seconds(), Notes: []string{}, Samples: []Sample{}, Phases: []Part{},
	}
	total := newPart("total", ended, min(r.config.WarmUp, ended))
	for i, p := range rec.parts {
		p.ends = min(p.ends, ended)
		switch {
		case i == 0 && p.planned > 0:
			report.WarmUp = new(partOf(p))
		case i > 0 && p.begins < ended:
			report.Phases = append(report.Phases, partOf(p))
			total.merge(p)
		}
	}
	report.Total = partOf(total)
	report.Expiry = r.expiry()
	last := int((ended - 1) / rec.step)
	for i := range rec.windows {
		if i <= last {
			report.Windows = append(report.Windows, windowOf(&rec.windows[i], i, min(rec.step, ended-time.Duration(i)*rec.step), rec.step))
		}
	}
	for _, s := range r.sampler.samples {
		if s.at <= ended {
			report.Samples = append(report.Samples, sampleOf(&s))
		}
	}
	report.Notes = append(report.Notes, r.notes(total, ended)...)
	return report
}

func settingsOf(w *workload.Workload, c *Config) Settings {
	of := w.Config()
	s := Settings{
		Workload: string(of.Kind), Conversations: of.Conversations, Members: of.Members, Reads: of.Reads, Ack: of.Ack.String(), Seed: c.Seed,
		Rate: c.Rate, Arrivals: string(c.Arrivals), Batch: c.Batch, Outstanding: c.Outstanding,
		WarmUpSeconds: c.WarmUp.Seconds(), DurationSeconds: c.Duration.Seconds(),
	}
	switch of.Kind {
	case workload.Zipf:
		s.Skew = of.Skew
	case workload.Hot:
		s.Hot = of.Hot
	case workload.Expiry:
		s.Expiring, s.ExpireOver = of.Expiring, of.ExpireOver.Seconds()
	case workload.Storm:
		s.Askers = of.Askers
	case workload.Trace:
		s.Members, s.Reads = 0, 0
	case workload.Uniform, workload.Groups:
	}
	return s
}

func partOf(p *part) Part {
	out := Part{
		Name: p.name, FromSeconds: p.begins.Seconds(), Seconds: max(0, p.ends-p.begins).Seconds(), Planned: p.planned, Dropped: p.dropped, Unanswered: p.unanswered,
		Tally: p.tally, Latency: latencyOf(p.accepted), TurnedDown: latencyOf(p.turnedDown), Sent: latencyOf(p.sent),
	}
	out.AcceptedPerSecond = float64(p.tally.Accepted()) / cmp.Or(out.Seconds, 1)
	if p.asked > 0 {
		out.Asks = &Asks{Asked: p.asked, Failed: p.asksFailed, Unanswered: p.asksUnanswered, Latency: latencyOf(p.asks)}
	}
	return out
}

func (r *run) expiry() *Expiry {
	rec := r.recorder
	if r.workload.Expiring() == 0 {
		return nil
	}
	_, byDeadline := r.target.(clocked)
	return &Expiry{
		Expiring: r.workload.Expiring(), Gone: rec.expired, ByDeadline: byDeadline, Lateness: latencyOf(rec.lateness),
		TookSeconds: max(0, rec.lastExpiry-r.config.until(r.workload, workload.Expires)).Seconds(),
	}
}

func windowOf(w *window, i int, length, step time.Duration) Window {
	per := func(n uint64) float64 { return float64(n) / length.Seconds() }
	out := Window{
		AtSeconds: (time.Duration(i) * step).Seconds(), PlannedPerSecond: per(w.planned), DroppedPerSecond: per(w.dropped), AcceptedPerSecond: per(w.accepted),
		TurnedPerSecond: per(w.turnedDown), AsksPerSecond: per(w.asks), GonePerSecond: per(w.expired), LatenessMaxMs: float64(w.latest.Microseconds()) / 1000,
	}
	if w.latency != nil {
		at := func(percent float64) float64 { return float64(w.latency.ValueAtQuantile(percent)) / 1000 }
		out.P50Ms, out.P99Ms, out.P999Ms, out.MaxMs = at(50), at(99), at(99.9), at(100)
	}
	return out
}

func sampleOf(s *sample) Sample {
	return Sample{
		AtSeconds: s.at.Seconds(), HeapBytes: s.HeapBytes, RSSBytes: s.RSSBytes, Goroutines: s.Goroutines, GCCycles: s.GCCycles,
		GCPausesSeconds: s.GCPauses.Seconds(), DeletedRows: s.DeletedRows, Backlog: s.Backlog,
	}
}
