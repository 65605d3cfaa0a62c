package tradeoff

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
	"github.com/parley-im/parley/benchmarks/isolation"
)

//go:embed tradeoffs.md.tmpl
var page string

// Write writes tradeoffs.md and the three pictures that it shows into a directory.
func Write(dir string, c *Curves, machine contest.Machine) error {
	for name, p := range map[string]*picture{
		"tradeoff-flush.svg": flushPicture(c), "tradeoff-residency.svg": residencyPicture(c), "tradeoff-deletion.svg": deletionPicture(c),
	} {
		image, err := p.render()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), image, 0o644); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(dir, "tradeoffs.md"))
	if err != nil {
		return err
	}
	if err := writePage(file, c, machine); err != nil {
		return fmt.Errorf("%w (and closing it: %w)", err, file.Close())
	}
	return file.Close()
}

func writePage(w io.Writer, c *Curves, machine contest.Machine) error {
	designs := make([]string, isolation.Designs)
	for d := range designs {
		designs[d] = isolation.Design(d).String()
	}
	t, err := template.New("tradeoffs.md").Funcs(template.FuncMap{
		"count": func(n int) string { return humanize.Comma(int64(n)) }, "short": short, "mib": func(v float64) string { return short(v / (1 << 20)) },
		"duration": func(posts float64, rate int) string { return short(1000*posts/float64(rate)) + " ms" },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	if err := t.Execute(w, map[string]any{"C": c, "Machine": machine, "Date": c.Date.UTC().Format(time.DateOnly), "Designs": designs}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func flushPicture(c *Curves) *picture {
	p := &picture{title: "How often the journal is flushed", across: "flush interval"}
	var rate, rows, lost, most line
	lost.name, most.name = "median", "worst"
	for _, point := range c.Flush {
		p.at = append(p.at, point.Interval.Seconds()*1000)
		p.labels = append(p.labels, point.Interval.String())
		rate.values = append(rate.values, point.Rate)
		rows.values = append(rows.values, point.Rows)
		lost.values = append(lost.values, point.Lost)
		most.values = append(most.values, point.LostMost)
	}
	p.panels = []panel{
		{title: "posts a second, applied, as fast as it goes", write: short, lines: []line{rate}},
		{title: "rows written to the store for each post", write: short, lines: []line{rows}},
		{title: fmt.Sprintf("posts that a kill takes back, at %s a second", humanize.Comma(int64(c.Config.Rate))), write: short, lines: []line{lost, most}},
	}
	return p
}

func residencyPicture(c *Curves) *picture {
	p := &picture{title: "How many conversations may be active", across: "bound on active conversations"}
	var heap, reads, rate line
	for _, point := range c.Residency {
		p.at = append(p.at, float64(point.Bound))
		p.labels = append(p.labels, humanize.Comma(int64(point.Bound)))
		heap.values = append(heap.values, point.Heap/(1<<20))
		reads.values = append(reads.values, point.Reads)
		rate.values = append(rate.values, point.Rate)
	}
	p.panels = []panel{
		{title: "heap of the process, MiB", write: short, lines: []line{heap}},
		{title: "reads of the store for 1,000 posts", write: short, lines: []line{reads}},
		{title: "posts a second, applied, as fast as it goes", write: short, lines: []line{rate}},
	}
	return p
}

func deletionPicture(c *Curves) *picture {
	p := &picture{title: "Where what has expired is deleted", across: "conversations that expire at one moment"}
	// The reaper as it is by default comes first, in the project's colour.
	order := []isolation.Design{isolation.Paced, isolation.Inline, isolation.Unpaced}
	p99, took := make([]line, len(order)), make([]line, len(order))
	for n, d := range order {
		p99[n].name, took[n].name = d.String(), d.String()
		for _, point := range c.Deletion {
			p99[n].values = append(p99[n].values, point.P99[d])
			took[n].values = append(took[n].values, point.Took[d])
		}
	}
	for _, point := range c.Deletion {
		p.at = append(p.at, float64(point.Doomed))
		p.labels = append(p.labels, humanize.Comma(int64(point.Doomed)))
	}
	p.panels = []panel{
		{title: "p99 of proposals meanwhile, milliseconds (logarithmic)", log: true, write: short, lines: p99},
		{title: "seconds until the last is gone", write: short, lines: took},
	}
	return p
}

// short writes a number to three digits.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a < 10:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	case a < 100:
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	default:
		digits := math.Pow(10, math.Floor(math.Log10(a))-2)
		return humanize.Comma(int64(math.Round(v/digits) * digits))
	}
}
