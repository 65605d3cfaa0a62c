package load

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/load/internal/chart"
)

// figures are the page's plots, without those that would be empty.
func (r *Report) figures() []figure {
	all := []figure{
		{"Latency over time", "How long proposals took that were planned at each moment, until the answer: half of them (p50), 99 of 100 (p99), and the slowest. " +
			"The scale is logarithmic: each step up is as many times longer. A stall shows as a slope that falls: who came at its beginning waited longest.", r.overTime()},
		{"Latency by percentile", "To the right are ever rarer cases: 99 % means that 99 of 100 proposals took at most as long as the line is high there, and one longer. " +
			"The last point is the slowest of all. A line for each phase.", r.percentiles()},
		{"Throughput", "Proposals that were planned for each moment, and answers that came then. Where the second falls below the first, proposals wait; " +
			"where it is above, it catches up.", r.throughput()},
	}
	if r.Expiry != nil {
		all = append(all,
			figure{"Reaper: deletions", "Conversations that were durably gone, a second.", r.deletions()},
			figure{"Reaper: lateness", "How long after its deadline a conversation was gone, durably: the latest of those that were gone at each moment.", r.lateness()})
	}
	if r.Total.Asks != nil {
		all = append(all, figure{"Answers to who asked what changed", "All asked at once; these are the answers, a second.", r.answers()})
	}
	if len(r.Samples) > 1 {
		all = append(all,
			figure{"Memory", "Of the process that runs the engine: the heap, with what was not collected yet, and all memory that is resident.", r.memory()},
			figure{"Garbage collection", "For how long everything stood still for the collector, in each second, and how many collections there were.", r.collections()})
	}
	return all
}

// time is the axis of everything that is over time.
func (r *Report) time() (chart.Axis, []chart.Band) {
	var bands []chart.Band
	if r.WarmUp != nil {
		bands = append(bands, chart.Band{Name: r.WarmUp.Name, To: r.WarmUp.Seconds, Faint: true})
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		bands = append(bands, chart.Band{Name: p.Name, From: p.FromSeconds, To: p.FromSeconds + p.Seconds})
	}
	return chart.Axis{Label: "seconds since the load began", Say: func(v float64) string { return fmt.Sprintf("%.4g s", v) }}, bands
}

// windows makes a line of the windows, each at its middle. What is not above 0 is a gap, where gaps says so.
func (r *Report) windows(name, class string, gaps bool, of func(*Window) float64) chart.Line {
	line := chart.Line{Name: name, Class: class}
	for i := range r.Windows {
		w := &r.Windows[i]
		v := of(w)
		if gaps && v <= 0 {
			v = math.NaN()
		}
		line.Points = append(line.Points, chart.Point{X: w.AtSeconds + r.WindowSeconds/2, Y: v})
	}
	return line
}

// mark writes milliseconds that are a round figure.
func mark(ms float64) string {
	if ms == 0 {
		return "0"
	}
	for _, unit := range [...]struct {
		least float64
		name  string
	}{{1000, "s"}, {1, "ms"}} {
		if ms >= unit.least {
			return fmt.Sprintf("%.4g %s", ms/unit.least, unit.name)
		}
	}
	return fmt.Sprintf("%.4g µs", ms*1000)
}

func perSecond(v float64) string { return humanize.Comma(int64(v+0.5)) + "/s" }

func (r *Report) overTime() chart.Drawing {
	x, bands := r.time()
	c := chart.Chart{Title: "latency over time", X: x, Bands: bands, Y: chart.Axis{Log: true, Say: brief, Mark: mark}, Lines: []chart.Line{
		r.windows("slowest", "third", true, func(w *Window) float64 { return w.MaxMs }),
		r.windows("p99", "first", true, func(w *Window) float64 { return w.P99Ms }),
		r.windows("p50", "second", true, func(w *Window) float64 { return w.P50Ms }),
	}}
	return c.Draw()
}

// nines lays percentiles out: 90 %, 99 %, 99.9 % are a step apart.
func nines(percent float64) float64 { return -math.Log10(1 - percent/100) }

func (r *Report) percentiles() chart.Drawing {
	classes := []string{"first", "second", "third"}
	furthest := 1.0
	c := chart.Chart{Title: "latency by percentile", Y: chart.Axis{Log: true, Say: brief, Mark: mark}}
	for i := range r.Phases {
		p := &r.Phases[i]
		if p.Latency == nil {
			continue
		}
		line := chart.Line{Name: p.Name, Class: classes[i%len(classes)]}
		last := max(1, math.Log10(float64(p.Latency.Count)))
		furthest = max(furthest, last)
		for _, point := range p.Latency.Curve {
			x := last
			if point.Percent < 100 {
				x = nines(point.Percent)
			}
			line.Points = append(line.Points, chart.Point{X: x, Y: point.Ms})
		}
		c.Lines = append(c.Lines, line)
	}
	c.X = chart.Axis{Label: "of the proposals of a phase", Say: sayNines}
	for n := 0.0; n <= furthest; n++ {
		c.X.Ticks = append(c.X.Ticks, n)
	}
	c.X.Ticks = append(c.X.Ticks, -math.Log10(0.5))
	slices.Sort(c.X.Ticks)
	return c.Draw()
}

// sayNines writes a percentile with as many digits as tell it from 100 %.
func sayNines(v float64) string {
	percent := 100 * (1 - math.Pow(10, -v))
	return humanize.FtoaWithDigits(percent, max(0, int(math.Ceil(v))-1)) + " %"
}

func (r *Report) throughput() chart.Drawing {
	x, bands := r.time()
	c := chart.Chart{Title: "throughput", X: x, Bands: bands, Y: chart.Axis{Say: perSecond}, Lines: []chart.Line{
		r.windows("planned", "muted", false, func(w *Window) float64 { return w.PlannedPerSecond }),
		r.windows("accepted", "first", false, func(w *Window) float64 { return w.AcceptedPerSecond }),
	}}
	if r.Total.NotAccepted() > 0 {
		c.Lines = append(c.Lines, r.windows("refused or failed", "bad", false, func(w *Window) float64 { return w.TurnedPerSecond }))
	}
	if r.Total.Dropped > 0 {
		c.Lines = append(c.Lines, r.windows("dropped", "third", false, func(w *Window) float64 { return w.DroppedPerSecond }))
	}
	return c.Draw()
}

func (r *Report) deletions() chart.Drawing {
	line := r.windows("gone", "first", false, func(w *Window) float64 { return w.GonePerSecond })
	line.Filled = true
	x, bands := r.time()
	c := chart.Chart{Title: "conversations deleted a second", X: x, Bands: bands, Y: chart.Axis{Say: perSecond}, Lines: []chart.Line{line}}
	return c.Draw()
}

func (r *Report) lateness() chart.Drawing {
	x, bands := r.time()
	c := chart.Chart{Title: "lateness of deletions", X: x, Bands: bands, Y: chart.Axis{Say: brief, Mark: mark}, Lines: []chart.Line{
		r.windows("latest", "third", true, func(w *Window) float64 { return w.LatenessMaxMs }),
	}}
	return c.Draw()
}

func (r *Report) answers() chart.Drawing {
	line := r.windows("answers", "first", false, func(w *Window) float64 { return w.AsksPerSecond })
	line.Filled = true
	x, bands := r.time()
	c := chart.Chart{Title: "answers a second", X: x, Bands: bands, Y: chart.Axis{Say: perSecond}, Lines: []chart.Line{line}}
	return c.Draw()
}

// samples makes a line of the samples.
func (r *Report) samples(name, class string, of func(i int) float64) chart.Line {
	line := chart.Line{Name: name, Class: class}
	for i := range r.Samples {
		line.Points = append(line.Points, chart.Point{X: r.Samples[i].AtSeconds, Y: of(i)})
	}
	return line
}

func (r *Report) memory() chart.Drawing {
	x, bands := r.time()
	heap := r.samples("heap", "first", func(i int) float64 { return float64(r.Samples[i].HeapBytes) / (1 << 20) })
	heap.Filled = true
	c := chart.Chart{
		Title: "memory", X: x, Bands: bands, Y: chart.Axis{Say: func(v float64) string { return humanize.Comma(int64(v+0.5)) + " MiB" }}, Lines: []chart.Line{heap},
	}
	if r.Samples[0].RSSBytes > 0 {
		c.Lines = append(c.Lines, r.samples("resident", "muted", func(i int) float64 { return float64(r.Samples[i].RSSBytes) / (1 << 20) }))
	}
	return c.Draw()
}

func (r *Report) collections() chart.Drawing {
	// since tells what was added in the second before a sample.
	since := func(i int, of func(*Sample) float64) float64 {
		if i == 0 {
			return math.NaN()
		}
		before, now := &r.Samples[i-1], &r.Samples[i]
		return (of(now) - of(before)) / (now.AtSeconds - before.AtSeconds)
	}
	x, bands := r.time()
	pauses := r.samples("stood still, in ms a second", "first", func(i int) float64 {
		return since(i, func(s *Sample) float64 { return 1000 * s.GCPausesSeconds })
	})
	pauses.Filled = true
	c := chart.Chart{
		Title: "garbage collection", X: x, Bands: bands, Y: chart.Axis{Say: func(v float64) string { return fmt.Sprintf("%.3g", v) }},
		Lines: []chart.Line{pauses, r.samples("collections a second", "second", func(i int) float64 {
			return since(i, func(s *Sample) float64 { return float64(s.GCCycles) })
		})},
	}
	return c.Draw()
}
