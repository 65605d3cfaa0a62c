package chart_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/benchmarks/load/internal/chart"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func say(v float64) string { return fmt.Sprintf("%.6g", v) }

// ticks returns the texts of the ticks of an axis: those of the one up end, those of the other are in the middle.
func ticks(d chart.Drawing, which string) (texts []string) {
	for _, t := range regexp.MustCompile(`<text class="tick `+which+`"[^>]*>([^<]*)</text>`).FindAllStringSubmatch(string(d.SVG), -1) {
		if t[1] != "" {
			texts = append(texts, t[1])
		}
	}
	return texts
}

func draw(y chart.Axis, points ...chart.Point) chart.Drawing {
	y.Say = say
	c := chart.Chart{X: chart.Axis{Say: say}, Y: y, Lines: []chart.Line{{Name: "line", Class: "first", Points: points}}}
	return c.Draw()
}

func TestALinearAxisBeginsAtZeroAndHasRoundTicks(t *testing.T) {
	d := draw(chart.Axis{}, chart.Point{X: 0, Y: 3}, chart.Point{X: 7, Y: 23})
	if diff := cmp.Diff([]string{"0", "5", "10", "15", "20"}, ticks(d, "end")); diff != "" {
		t.Errorf("up (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"0", "2", "4", "6"}, ticks(d, "middle")); diff != "" {
		t.Errorf("to the right (-want +got):\n%s", diff)
	}
	line := d.Data.Lines[0]
	if line.X[0] != d.Data.Left || line.X[1] != d.Data.Right || line.Y[1] != d.Data.Top {
		t.Errorf("the line goes from %v, %v to %v, %v; want it from edge to edge", line.X[0], line.Y[0], line.X[1], line.Y[1])
	}
	if want := d.Data.Bottom + (d.Data.Top-d.Data.Bottom)*3/23; math.Abs(line.Y[0]-want) > 0.1 {
		t.Errorf("3 of 23 is at %v, want %v", line.Y[0], want)
	}
}

func TestALogarithmicAxisGivesEachPowerAsMuchRoom(t *testing.T) {
	d := draw(chart.Axis{Log: true}, chart.Point{X: 0, Y: 0.1}, chart.Point{X: 1, Y: 10}, chart.Point{X: 2, Y: 1000})
	if diff := cmp.Diff([]string{"0.1", "1", "10", "100", "1000"}, ticks(d, "end")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	y := d.Data.Lines[0].Y
	if math.Abs((y[0]-y[1])-(y[1]-y[2])) > 0.2 {
		t.Errorf("a hundred times as much is %v higher once and %v once", y[0]-y[1], y[1]-y[2])
	}
	d = draw(chart.Axis{Log: true}, chart.Point{Y: 0}, chart.Point{X: 1, Y: 0.003})
	if y := d.Data.Lines[0].Y; y[0] != d.Data.Bottom {
		t.Errorf("nothing is at %v, want it at the edge, %v", y[0], d.Data.Bottom)
	}
}

func TestALineHasGapsWhereNothingIsKnown(t *testing.T) {
	none := math.NaN()
	d := draw(chart.Axis{}, chart.Point{X: 0, Y: 1}, chart.Point{X: 1, Y: 1}, chart.Point{X: 2, Y: none}, chart.Point{X: 3, Y: 1}, chart.Point{X: 4, Y: none}, chart.Point{X: 5, Y: 1}, chart.Point{X: 6, Y: 2})
	if paths, dots := strings.Count(string(d.SVG), `class="first line"`), strings.Count(string(d.SVG), "<circle"); paths != 2 || dots != 1 {
		t.Errorf("there are %d runs and %d single points, want 2 and 1:\n%s", paths, dots, d.SVG)
	}
	if diff := cmp.Diff([]string{"0", "1", "3", "5", "6"}, d.Data.Lines[0].AtX); diff != "" {
		t.Errorf("a pointer is told of (-want +got):\n%s", diff)
	}
}

func TestAChartOfNothingCanBeDrawn(t *testing.T) {
	for _, c := range []chart.Chart{
		{X: chart.Axis{Say: say}, Y: chart.Axis{Say: say}},
		{X: chart.Axis{Say: say}, Y: chart.Axis{Say: say, Log: true}, Lines: []chart.Line{{Points: []chart.Point{{X: 1, Y: math.Inf(1)}}}}},
		{X: chart.Axis{Say: say}, Y: chart.Axis{Say: say}, Lines: []chart.Line{{Filled: true, Points: []chart.Point{{}, {}}}}, Bands: []chart.Band{{}}},
	} {
		if svg := string(c.Draw().SVG); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("no number is drawn: %s", svg)
		}
	}
}

func TestTextsAreNoMarkup(t *testing.T) {
	c := chart.Chart{
		Title: `"><a>`, X: chart.Axis{Label: "<a>", Say: func(float64) string { return "<a>" }}, Y: chart.Axis{Say: func(float64) string { return "<a>" }},
		Bands: []chart.Band{{Name: "<a>", To: 1}}, Lines: []chart.Line{{Class: `"><a>`, Points: []chart.Point{{X: 1, Y: 1}, {X: 2, Y: 2}}}},
	}
	if svg := string(c.Draw().SVG); strings.Contains(svg, "<a>") {
		t.Errorf("there is markup in %s", svg)
	}
}
