package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

// Text writes the tables for a terminal.
func Text(w io.Writer, r *contest.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "comparison\tParley\tagainst\tratio\tof rounds\treach\treached")
	for _, row := range r.Rows {
		line(table, row.Name, row.Main, row.Outcome)
		for _, other := range row.Others {
			line(table, "  "+other.Label, other.Ratio, other.Outcome)
		}
	}
	if len(r.Peers) > 0 {
		fmt.Fprintln(table, "\t\t\t\t\t\t\nwhat one might pick instead\tupdates/s\tp99\tbytes each\t\t\t")
		for _, p := range r.Peers {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\t\t\n", p.Name, rounded(p.PerSecond), orNone(p.P99, contest.Milliseconds), orNone(p.Bytes, contest.Bytes))
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	for _, row := range r.Rows {
		fmt.Fprintf(w, "\n%s\n  %s\n  against %s\n", row.Name, row.What, row.Against)
	}
	if r.Stolen > 0 {
		fmt.Fprintf(w, "\nThe machine's host gave %s of the time asked of its processors to others.\n", percent(r.Stolen))
	}
	for _, skipped := range r.Skipped {
		fmt.Fprintf(w, "\n%s\n", skipped)
	}
	return nil
}

func line(w io.Writer, name string, r contest.Ratio, o contest.Outcome) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s–%s\t%s\t%s\n", name, figure(o.Ours, r.Unit), figure(o.Theirs, r.Unit), ratio(o.Value), ratio(o.Low), ratio(o.High),
		reach(r), reached(r, o))
}

// orNone writes a figure that zero stands for the absence of.
func orNone(value float64, unit contest.Unit) string {
	if value == 0 {
		return "–"
	}
	return figure(value, unit)
}
