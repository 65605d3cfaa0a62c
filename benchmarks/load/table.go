package load

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// WriteTable writes the report for a person: a line for each phase, and what is to be said beside.
func (r *Report) WriteTable(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", r.Sentence()); err != nil {
		return fmt.Errorf("load: table: %w", err)
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "phase\tseconds\taccepted/s\tp50\tp90\tp99\tp99.9\tmost\trefused\tdropped\t")
	rows := r.Phases
	if len(rows) != 1 {
		rows = append(slices.Clip(rows), r.Total)
	}
	for i := range rows {
		p := &rows[i]
		fmt.Fprintf(table, "%s\t%.1f\t%s\t%s\t%s\t%s\t%s\t", p.Name, p.Seconds, humanize.Comma(int64(p.AcceptedPerSecond+0.5)),
			p.Latency.cell(p50), p.Latency.cell(p90), p.Latency.cell(p99), p.Latency.cell(p999))
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", p.Latency.cell(most), humanize.Comma(int64(p.NotAccepted())), humanize.Comma(int64(p.Dropped)))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("load: table: %w", err)
	}
	var beside strings.Builder
	r.writeAsks(&beside)
	r.writeExpiry(&beside)
	r.writeMemory(&beside)
	for _, note := range r.Notes {
		fmt.Fprintf(&beside, "! %s\n", note)
	}
	if beside.Len() == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s", beside.String()); err != nil {
		return fmt.Errorf("load: table: %w", err)
	}
	return nil
}

// Sentence says in one line what was done.
func (r *Report) Sentence() string {
	s := &r.Settings
	text := fmt.Sprintf("%s: %s proposals/s (%s) at “%s”, %s conversations", s.Workload, humanize.CommafWithDigits(s.Rate, 2), s.Arrivals, s.Ack, humanize.Comma(int64(s.Conversations)))
	if s.Batch > 1 {
		text += fmt.Sprintf(", in batches of %d", s.Batch)
	}
	if r.Target != "" {
		text += "; " + r.Target
	}
	if r.Interrupted {
		text += fmt.Sprintf("; interrupted after %.1f of %.1f s", max(0, r.Total.Seconds), s.DurationSeconds)
	}
	return text
}

func (r *Report) writeAsks(w io.Writer) {
	for i := range r.Phases {
		if asks := r.Phases[i].Asks; asks != nil {
			fmt.Fprintf(w, "%s: %s users asked at once what changed: half were told after %s, 99 of 100 after %s, the last after %s\n", r.Phases[i].Name,
				humanize.Comma(int64(asks.Asked)), asks.Latency.cell(p50), asks.Latency.cell(p99), asks.Latency.cell(most))
		}
	}
}

func (r *Report) writeExpiry(w io.Writer) {
	if e := r.Expiry; e != nil {
		fmt.Fprintf(w, "expiry: %s of %s conversations gone, the last %.1f s after the first was due; late by %s (half), %s (99 of 100), %s (most)\n",
			humanize.Comma(int64(e.Gone)), humanize.Comma(int64(e.Expiring)), e.TookSeconds, e.Lateness.cell(p50), e.Lateness.cell(p99), e.Lateness.cell(most))
	}
}

func (r *Report) writeMemory(w io.Writer) {
	if len(r.Samples) == 0 {
		return
	}
	first, last := &r.Samples[0], &r.Samples[len(r.Samples)-1]
	var heap uint64
	for i := range r.Samples {
		heap = max(heap, r.Samples[i].HeapBytes)
	}
	fmt.Fprintf(w, "memory: heap at most %s; %d collections, which stopped everything for %s in all\n", humanize.IBytes(heap), last.GCCycles-first.GCCycles,
		brief((last.GCPausesSeconds-first.GCPausesSeconds)*1000))
}

// What a cell shows.
const (
	p50 = iota
	p90
	p99
	p999
	most
)

// cell returns a figure for a table, and a dash where nothing was measured.
func (l *Latency) cell(what int) string {
	if l == nil {
		return "–"
	}
	return brief([...]float64{p50: l.P50Ms, p90: l.P90Ms, p99: l.P99Ms, p999: l.P999Ms, most: l.MaxMs}[what])
}

// brief writes milliseconds to three digits, with their unit.
func brief(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	switch {
	case d <= 0:
		return "0"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", ms)
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", ms)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
