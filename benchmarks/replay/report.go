package replay

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// Report says what a replay came to. Times named virtual are by the clock that follows the trace; the others are real.
type Report struct {
	Trace              string  `json:"trace"`
	ExpireAfter        string  `json:"expire_after"`
	Messages           int     `json:"messages"`
	Conversations      int     `json:"conversations"`
	Generations        int     `json:"generations"`             // expired and alive
	Expired            int     `json:"expired"`                 // deleted by the reaper
	Alive              int     `json:"alive"`                   // shown by the engine at the time of the last message
	Refused            int     `json:"refused"`                 // messages answered with an error
	Unchanged          int     `json:"unchanged"`               // messages taken for repetitions, though none is one
	FalseExpiries      int     `json:"false_expiries"`          // ended where the trace has it alive, at another moment or with another message
	MissedExpiries     int     `json:"missed_expiries"`         // not ended where the trace has it end
	LatenessP99Seconds float64 `json:"lateness_p99_seconds"`    // virtual, from deadline to deletion
	LatenessMaxSeconds float64 `json:"lateness_max_seconds"`    // likewise
	VirtualSeconds     float64 `json:"virtual_seconds"`         // from the first message to the last
	ProposalsPerSecond float64 `json:"proposals_per_second"`    // messages by the time they and all deadlines took
	ElapsedSeconds     float64 `json:"elapsed_seconds"`         // all of it, opening, checking and closing included
	Retried            int     `json:"retried"`                 // proposals sent again because the engine was overloaded
	Activations        uint64  `json:"activations"`             // conversations brought into memory
	Flushes            uint64  `json:"flushes"`                 // batches of the journal
	RowsWritten        uint64  `json:"rows_written"`            // by those
	RowsDeleted        uint64  `json:"rows_deleted"`            // by the reaper
	MaxRSSBytes        int64   `json:"max_rss_bytes,omitempty"` // the most memory the process had so far; absent where that is not known
	FirstDifference    string  `json:"first_difference,omitempty"`
}

// Err returns a *[MismatchError] if the engine did anything otherwise than the trace says.
func (r *Report) Err() error {
	if r.FirstDifference == "" {
		return nil
	}
	return &MismatchError{Report: *r}
}

// MismatchError says that an engine and a trace disagree.
type MismatchError struct{ Report Report }

// Error counts the differences and names the first.
func (e *MismatchError) Error() string {
	r := &e.Report
	return fmt.Sprintf("replay: the engine and the trace disagree (false expiries %d, missed expiries %d, refused %d, unchanged %d); the first difference: %s",
		r.FalseExpiries, r.MissedExpiries, r.Refused, r.Unchanged, r.FirstDifference)
}

// WriteTable writes the report for a person, at most 80 columns wide unless the trace's name or a difference is longer.
func (r *Report) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value, remark string) { fmt.Fprintf(table, "%s\t%14s\t%s\n", name, value, remark) }
	count := func(name string, n int, remark string) { line(name, humanize.Comma(int64(n)), remark) }
	fmt.Fprintf(w, "%s, expire after %s\n\n", r.Trace, r.ExpireAfter)
	count("messages", r.Messages, fmt.Sprintf("over %s days", humanize.Comma(int64(r.VirtualSeconds/(24*60*60)))))
	count("conversations", r.Conversations, "")
	count("generations", r.Generations, "")
	count("  expired", r.Expired, "deleted by the reaper")
	count("  alive", r.Alive, "when the last message was sent")
	count("refused", r.Refused, "")
	count("false expiries", r.FalseExpiries, "")
	count("missed expiries", r.MissedExpiries, "")
	line("lateness p99", fmt.Sprintf("%.6f s", r.LatenessP99Seconds), fmt.Sprintf("virtual; at most %.6f s", r.LatenessMaxSeconds))
	line("proposals", humanize.Comma(int64(r.ProposalsPerSecond))+" /s", "one after the other, deadlines included")
	line("elapsed", fmt.Sprintf("%.1f s", r.ElapsedSeconds), "")
	if r.MaxRSSBytes > 0 {
		line("memory", humanize.IBytes(uint64(r.MaxRSSBytes)), "at most")
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("replay: report: %w", err)
	}
	verdict := "Every generation began and ended as the trace says."
	if r.FirstDifference != "" {
		verdict = "The engine and the trace disagree. The first difference:\n" + r.FirstDifference
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", verdict); err != nil {
		return fmt.Errorf("replay: report: %w", err)
	}
	return nil
}

// lateness sets the report's figures from all generations that were deleted.
func (r *Report) lateness(ends []ended) {
	if len(ends) == 0 {
		return
	}
	all := make([]time.Duration, len(ends))
	for i := range ends {
		all[i] = ends[i].lateness
	}
	slices.Sort(all)
	r.LatenessP99Seconds = all[(len(all)*99+99)/100-1].Seconds()
	r.LatenessMaxSeconds = all[len(all)-1].Seconds()
}
