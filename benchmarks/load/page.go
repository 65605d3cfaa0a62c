package load

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/load/internal/chart"
)

//go:embed page
var pageFiles embed.FS

// page is what the template of the page shows.
type page struct {
	*Report

	Title    string
	Style    template.CSS
	Script   template.JS
	Tiles    []tile
	Findings []string
	Rows     []Part
	Charts   []figure
	Facts    [][2]string
}

// tile is a figure at a glance.
type tile struct {
	Name, Value, Remark string
	Bad                 bool
}

// figure is a chart with its heading and with what it shows, in words.
type figure struct {
	Heading, Words string
	chart.Drawing
}

// WriteHTML writes the report as one page: it has plots, needs nothing but itself, asks nothing of any network, and fits light and dark screens.
func (r *Report) WriteHTML(w io.Writer) error {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return fmt.Errorf("load: page: %w", err)
	}
	script, err := pageFiles.ReadFile("page/hover.js")
	if err != nil {
		return fmt.Errorf("load: page: %w", err)
	}
	p := page{
		Report: r, Title: fmt.Sprintf("Load: %s at %s proposals/s", r.Settings.Workload, humanize.CommafWithDigits(r.Settings.Rate, 2)),
		Style:  template.CSS(style),
		Script: template.JS(script),
		Tiles:  r.tiles(), Findings: r.findings(), Charts: r.figures(), Facts: r.facts(), Rows: r.Phases,
	}
	if len(r.Phases) > 1 {
		p.Rows = append(append([]Part{}, r.Phases...), r.Total)
	}
	layout, err := template.New("page.html").Funcs(template.FuncMap{
		"count": func(n uint64) string { return humanize.Comma(int64(n)) },
		"rate":  func(v float64) string { return humanize.Comma(int64(v + 0.5)) },
		"cell": func(l *Latency, what string) string {
			return l.cell(map[string]int{"p50": p50, "p90": p90, "p99": p99, "p99.9": p999, "most": most}[what])
		},
	}).ParseFS(pageFiles, "page/page.html")
	if err == nil {
		err = layout.Execute(w, &p)
	}
	if err != nil {
		return fmt.Errorf("load: page: %w", err)
	}
	return nil
}

func (r *Report) tiles() []tile {
	total := &r.Total
	turned := total.NotAccepted() + total.Dropped + total.Unanswered
	return []tile{
		{Name: "accepted", Value: humanize.Comma(int64(total.AcceptedPerSecond+0.5)) + " /s", Remark: fmt.Sprintf("of %s planned", humanize.CommafWithDigits(r.Settings.Rate, 2))},
		{Name: "half took at most", Value: total.Latency.cell(p50), Remark: "the median, p50"},
		{Name: "99 of 100", Value: total.Latency.cell(p99), Remark: "at most, p99"},
		{Name: "999 of 1,000", Value: total.Latency.cell(p999), Remark: "at most, p99.9"},
		{Name: "the slowest", Value: total.Latency.cell(most), Remark: "of " + humanize.Comma(int64(total.Planned)) + " planned"},
		{Name: "not accepted", Value: humanize.Comma(int64(turned)), Remark: "refused, dropped, unanswered", Bad: turned > 0},
	}
}

// findings says what came of it, in sentences.
func (r *Report) findings() (said []string) {
	s, total := &r.Settings, &r.Total
	said = append(said, fmt.Sprintf("For %.0f seconds, %s proposals a second were planned, and %s a second accepted, as “%s”.",
		total.Seconds, humanize.CommafWithDigits(s.Rate, 2), humanize.Comma(int64(total.AcceptedPerSecond+0.5)), s.Ack))
	if len(r.Phases) > 1 && r.Phases[0].Latency != nil && r.Phases[1].Latency != nil {
		before, during := &r.Phases[0], &r.Phases[1]
		said = append(said, fmt.Sprintf("In the phase “%s”, 99 of 100 took at most %s; before that, %s: %.1f times as long.",
			during.Name, during.Latency.cell(p99), before.Latency.cell(p99), during.Latency.P99Ms/before.Latency.P99Ms))
	}
	if e := r.Expiry; e != nil && e.Lateness != nil {
		how := "reached their deadline"
		if !e.ByDeadline {
			how = "were deleted by a proposal each"
		}
		said = append(said, fmt.Sprintf("%s conversations %s, and %s of them were durably gone before the end: half at most %s late, 99 of 100 at most %s, the last %s.",
			humanize.Comma(int64(e.Expiring)), how, humanize.Comma(int64(e.Gone)), e.Lateness.cell(p50), e.Lateness.cell(p99), e.Lateness.cell(most)))
	}
	if asks := total.Asks; asks != nil {
		said = append(said, fmt.Sprintf("%s users asked at one moment what had changed: half were told after %s, 99 of 100 after %s, the last after %s.",
			humanize.Comma(int64(asks.Asked)), asks.Latency.cell(p50), asks.Latency.cell(p99), asks.Latency.cell(most)))
	}
	return said
}

// facts are what the run was told, and where it ran.
func (r *Report) facts() [][2]string {
	s := &r.Settings
	seconds := func(v float64) string { return time.Duration(v * float64(time.Second)).String() }
	facts := [][2]string{
		{"target", r.Target},
		{"workload", s.Workload},
		{"conversations", humanize.Comma(int64(s.Conversations))},
		{"rate", humanize.CommafWithDigits(s.Rate, 2) + " proposals/s, " + s.Arrivals + " arrivals"},
		{"batch", strconv.Itoa(s.Batch)},
		{"ack", s.Ack},
		{"reads", fmt.Sprintf("%.0f %% of proposals", 100*s.Reads)},
		{"seed", strconv.FormatUint(s.Seed, 10)},
		{"may be unanswered", humanize.Comma(int64(s.Outstanding))},
		{"warm-up", seconds(s.WarmUpSeconds)},
		{"measured", seconds(s.DurationSeconds)},
		{"begun", r.Begun.Format(time.RFC3339)},
		{"machine", fmt.Sprintf("%s/%s, %d processors (GOMAXPROCS %d), %s", r.Machine.OS, r.Machine.Arch, r.Machine.CPUs, r.Machine.GoMaxProcs, r.Machine.Go)},
	}
	add := func(name string, v float64, text string) {
		if v != 0 {
			facts = append(facts, [2]string{name, text})
		}
	}
	add("members of each", float64(s.Members), humanize.Comma(int64(s.Members)))
	add("skew", s.Skew, fmt.Sprint(s.Skew))
	add("hot share", s.Hot, fmt.Sprint(s.Hot))
	add("expiring", float64(s.Expiring), humanize.Comma(int64(s.Expiring)))
	add("expire over", s.ExpireOver, seconds(s.ExpireOver))
	add("askers", float64(s.Askers), humanize.Comma(int64(s.Askers)))
	return facts
}
