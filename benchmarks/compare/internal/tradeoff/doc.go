// Package tradeoff measures the three trade-offs that are an operator's to set, as curves: how often the journal is flushed, how many conversations may
// be active, and where what has expired is deleted. [Measure] takes the figures, and [Write] draws them and writes the page docs/tradeoffs.md.
package tradeoff
