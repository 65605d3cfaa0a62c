package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

// document is the JSON: Ratios has the comparisons by their names.
type document struct {
	Ratios      map[string]float64    `json:"ratios"`
	Comparisons map[string]comparison `json:"comparisons"`
	Peers       []peer                `json:"peers"`
	Skipped     []string              `json:"skipped"`
	Machine     contest.Machine       `json:"machine"`
	Date        time.Time             `json:"date"`
	Seconds     float64               `json:"seconds"`
	Stolen      float64               `json:"stolen"`
	Quick       bool                  `json:"quick"`
}

type comparison struct {
	outcome

	What    string    `json:"what"`
	Against string    `json:"against"`
	Note    string    `json:"note"`
	Beside  []outcome `json:"beside,omitempty"`
}

type outcome struct {
	Label   string  `json:"label,omitempty"`
	Ours    float64 `json:"ours"`
	Theirs  float64 `json:"theirs"`
	Unit    string  `json:"unit"`
	Ratio   float64 `json:"ratio"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Rounds  int     `json:"rounds"`
	Reach   float64 `json:"reach,omitempty"`
	AtMost  bool    `json:"at_most"`
	Reached *bool   `json:"reached,omitempty"`
}

type peer struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"per_second"`
	P99       float64 `json:"p99_ms,omitempty"`
	Bytes     float64 `json:"bytes_each,omitempty"`
}

// JSON writes the result for programs.
func JSON(w io.Writer, r *contest.Result) error {
	d := document{
		Ratios: map[string]float64{}, Comparisons: map[string]comparison{}, Peers: []peer{}, Skipped: append([]string{}, r.Skipped...),
		Machine: r.Machine, Date: r.Date, Seconds: r.Took.Seconds(), Stolen: r.Stolen, Quick: r.Quick,
	}
	for _, row := range r.Rows {
		d.Ratios[row.Name] = finite(row.Value)
		c := comparison{outcome: outcomeOf(row.Main, row.Outcome), What: row.What, Against: row.Against, Note: row.Note}
		for _, other := range row.Others {
			c.Beside = append(c.Beside, outcomeOf(other.Ratio, other.Outcome))
		}
		d.Comparisons[row.Name] = c
	}
	for _, p := range r.Peers {
		d.Peers = append(d.Peers, peer{Name: p.Name, PerSecond: p.PerSecond, P99: p.P99, Bytes: p.Bytes})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

func outcomeOf(r contest.Ratio, o contest.Outcome) outcome {
	out := outcome{
		Label: r.Label, Ours: finite(o.Ours), Theirs: finite(o.Theirs), Ratio: finite(o.Value), Low: finite(o.Low), High: finite(o.High), Rounds: o.Rounds, Reach: r.Reach, AtMost: r.AtMost,
		Unit: [...]string{contest.PerSecond: "1/s", contest.Nanoseconds: "ns", contest.Milliseconds: "ms", contest.Bytes: "B"}[r.Unit],
	}
	if r.Reach > 0 {
		is := r.Reached(o)
		out.Reached = &is
	}
	return out
}

// finite returns 0 for what JSON has no numbers for: where nothing was measured.
func finite(value float64) float64 {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0
	}
	return value
}
