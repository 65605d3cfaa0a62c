package tradeoff

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

func TestCommentsAndBlankLinesAreNoLinesOfCode(t *testing.T) {
	const text = `// Package p says much
// in two lines.
package p

/* and
more */
func f() int { // a remark
	return 1 +
		2
}
`
	if got := linesOf([]byte(text)); got != 5 {
		t.Errorf("%d lines, want 5", got)
	}
}

func TestAPointThatIsZeroCanBeDrawn(t *testing.T) {
	curves := &Curves{
		Date: time.Unix(0, 0), Config: Tiny(),
		Flush:     []FlushPoint{{Interval: time.Millisecond}, {Interval: time.Second, Rate: 5, Rows: 1, Lost: 3, LostMost: 4000}},
		Residency: []ResidencyPoint{{Bound: 1}, {Bound: 10}},
		Deletion:  []DeletionPoint{{Doomed: 1, P99: []float64{0, 0, 0}, Took: []float64{0, 0, 0}}, {Doomed: 5, P99: []float64{1, 20, 3}, Took: []float64{1, 2, 3}}},
	}
	for _, p := range []*picture{flushPicture(curves), residencyPicture(curves), deletionPicture(curves)} {
		image, err := p.render()
		if err != nil {
			t.Fatalf("%s: %v", p.title, err)
		}
		if strings.Contains(string(image), "NaN") || !strings.Contains(string(image), p.title) {
			t.Errorf("%s: the picture has points that are nowhere, or no title", p.title)
		}
	}
	var page bytes.Buffer
	if err := writePage(&page, curves, contest.Machine{Go: "go1"}); err != nil {
		t.Fatal(err)
	}
	// 4,000 posts at 1,000 a second.
	if !strings.Contains(page.String(), "| 1s | 5 | 1 | 3 | 4,000 | 4,000 ms |") {
		t.Errorf("the longest interval is not on the page:\n%s", page.String())
	}
}

func TestTicksOfAnAxisAreRoundAndFew(t *testing.T) {
	p := panel{write: short}
	for _, high := range []float64{0.0023, 1, 7, 46, 999, 123_456} {
		ticks := p.ticks(0, high)
		if len(ticks) < 3 || len(ticks) > 10 || ticks[0].Label != "0" {
			t.Errorf("up to %v: %v", high, ticks)
		}
	}
}
