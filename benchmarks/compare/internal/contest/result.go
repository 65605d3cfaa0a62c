package contest

import "time"

// Result is what was measured.
type Result struct {
	Date    time.Time
	Took    time.Duration
	Stolen  float64 // the part of the time asked of the processors that the machine's host gave to others; 0 where that is not known
	Quick   bool
	Size    Size
	Machine Machine
	Rows    []Row
	Peers   []PeerRow // empty: they were left out
	Skipped []string  // sentences: what was not measured, and why
}

// Row is a comparison and its figures.
type Row struct {
	Comparison
	Outcome

	Others []Other
}

// Other is a further ratio of a comparison.
type Other struct {
	Ratio
	Outcome
}

// Outcome is the medians of both sides over all rounds, and their ratio.
type Outcome struct {
	Ours, Theirs, Value float64
	Rounds              int     // of the side that had fewer
	Low, High           float64 // the lowest and the highest ratio of one round
}

// Reached reports whether the target was; without one, it was not.
func (r Ratio) Reached(o Outcome) bool {
	switch {
	case r.Reach == 0:
		return false
	case r.AtMost:
		return o.Value <= r.Reach
	}
	return o.Value >= r.Reach
}

// Ahead reports whether Parley is, target or not.
func (r Ratio) Ahead(o Outcome) bool {
	if r.AtMost {
		return o.Value <= 1
	}
	return o.Value >= 1
}

// PeerRow is a peer and its figures; zeros are not measured.
type PeerRow struct {
	Peer

	PerSecond float64
	P99       float64 // milliseconds
	Bytes     float64 // of each conversation
}
