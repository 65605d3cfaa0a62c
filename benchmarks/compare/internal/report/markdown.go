package report

import (
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

//go:embed benchmarks.md.tmpl
var page string

// Markdown writes the page for people.
func Markdown(w io.Writer, r *contest.Result) error {
	t, err := template.New("benchmarks.md").Funcs(template.FuncMap{
		"figure": figure, "ratio": ratio, "reach": reach, "reached": reached, "rounded": rounded, "percent": percent,
		"milliseconds": func(v float64) string { return orNone(v, contest.Milliseconds) },
		"bytes":        func(v float64) string { return orNone(v, contest.Bytes) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	if err := t.Execute(w, map[string]any{
		"Result": r, "Date": r.Date.UTC().Format(time.DateOnly), "Took": r.Took.Round(time.Minute).String(), "Versions": versions(r.Machine),
		"Behind": behind(r), "Short": short(r), "AheadPeers": aheadPeers(r),
		"PeersKnown": float64(r.Size.Peers), "PeersRate": float64(r.Size.Rate),
	}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func versions(m contest.Machine) string {
	all := make([]string, 0, len(m.Versions))
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		all = append(all, strings.TrimPrefix(name, "github.com/")+" "+m.Versions[name])
	}
	return strings.Join(all, ", ")
}

// behind says where the other side is ahead, whatever the target.
func behind(r *contest.Result) []string {
	var all []string
	add := func(name string, ratio contest.Ratio, o contest.Outcome) {
		if ratio.Ahead(o) {
			return
		}
		times := o.Value
		if !ratio.AtMost {
			times = 1 / o.Value
		}
		all = append(all, fmt.Sprintf("%s: the other side is better by a factor of %s (%s against %s).", name, rounded(times), figure(o.Ours, ratio.Unit), figure(o.Theirs, ratio.Unit)))
	}
	for _, row := range r.Rows {
		if row.Alone {
			continue
		}
		add("`"+row.Name+"`", row.Main, row.Outcome)
		for _, other := range row.Others {
			add("`"+row.Name+"`, "+other.Label, other.Ratio, other.Outcome)
		}
	}
	return all
}

// short names what did not reach its target.
func short(r *contest.Result) []contest.Row {
	var all []contest.Row
	for _, row := range r.Rows {
		if row.Main.Reach > 0 && !row.Main.Reached(row.Outcome) {
			all = append(all, row)
		}
	}
	return all
}

// aheadPeers says in what the peers of the table are ahead of the embedded engine, its first line.
func aheadPeers(r *contest.Result) []string {
	var all []string
	for i, p := range r.Peers {
		if i == 0 || strings.HasPrefix(p.Name, "Parley") {
			continue
		}
		ours := r.Peers[0]
		var in []string
		if p.PerSecond > ours.PerSecond {
			in = append(in, fmt.Sprintf("updates/s, %s times", rounded(p.PerSecond/ours.PerSecond)))
		}
		if p.P99 > 0 && p.P99 < ours.P99 {
			in = append(in, fmt.Sprintf("p99, %s times", rounded(ours.P99/p.P99)))
		}
		if p.Bytes > 0 && p.Bytes < ours.Bytes {
			in = append(in, fmt.Sprintf("memory of each, %s times", rounded(ours.Bytes/p.Bytes)))
		}
		if in != nil {
			all = append(all, "Of what one might pick instead: "+p.Name+" is ahead in "+strings.Join(in, "; in ")+".")
		}
	}
	return all
}
