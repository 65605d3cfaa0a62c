package isolation

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// WriteTable writes what was measured, a line for each design.
func (r *Result) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "design\tp99 before\tp50\tp99\tp99.9\tmost\tdeleted in\tproposals\trefused\t")
	for d := range r.Series {
		s := &r.Series[d]
		deleted := slices.Max(append(slices.Clone(s.Deleted), 0)).Round(10 * time.Millisecond).String()
		if s.Left > 0 {
			deleted = fmt.Sprintf("%d left", s.Left)
		}
		fmt.Fprintf(table, "%v\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t\n", s.Design, round(s.Before.Quantile(0.99)),
			round(s.During.Quantile(0.5)), round(s.During.Quantile(0.99)), round(s.During.Quantile(0.999)), round(s.During.Quantile(1)),
			deleted, s.Before.Count()+s.During.Count(), s.Refused)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("isolation: table: %w", err)
	}
	return nil
}

// round keeps the digits that matter.
func round(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}
