// Package chart draws lines over an axis as SVG for a page of HTML.
//
// What it draws takes its colours from the page's style sheet, by class, so that one drawing is right in a light page and in a dark one; and the texts are the page's text. It has
// what a report of a load needs and no more: one axis to the right and one up, linear or logarithmic, lines that may have gaps, and bands that name parts of the time.
package chart

import (
	"html/template"
	"math"
	"strings"
)

// Point is a place on a line. Where Y is no number, there is a gap.
type Point struct{ X, Y float64 }

// Line is a line of a chart, and what it is called.
type Line struct {
	Name   string
	Class  string // in the style sheet: for its colour
	Filled bool   // the room below it is shaded
	Points []Point
}

// Band is a part of the axis to the right that has a name.
type Band struct {
	Name     string
	From, To float64
	Faint    bool // what happens in it does not count
}

// Chart is what is drawn.
type Chart struct {
	Title string // said to who cannot see it
	X, Y  Axis
	Lines []Line
	Bands []Band
}

// The measures of a drawing; the page makes it as wide as there is room.
const (
	width, height           = 880, 280
	left, right, above, low = 64, 14, 26, 40
)

// frame is a chart with its axes laid out.
type frame struct {
	*Chart

	x, y scale
}

func (c *Chart) layout() *frame {
	f := &frame{Chart: c}
	var xs, ys []float64
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if isNumber(p.Y) {
				xs, ys = append(xs, p.X), append(ys, p.Y)
			}
		}
	}
	for _, b := range c.Bands {
		xs = append(xs, b.From, b.To)
	}
	f.x = c.X.scale(xs, left, width-right)
	f.y = c.Y.scale(ys, height-low, above)
	return f
}

// Drawing is a chart as the page has it.
type Drawing struct {
	SVG    template.HTML // one element
	Legend []Key
	Data   Data // what a pointer over it is told
}

// Key explains a line.
type Key struct{ Name, Class string }

// Data is where the points are in the drawing, and what they say.
type Data struct {
	Left   float64 `json:"left"`
	Right  float64 `json:"right"`
	Top    float64 `json:"top"`
	Bottom float64 `json:"bottom"`
	Width  float64 `json:"width"`
	Lines  []Told  `json:"lines"`
}

// Told is a line for a pointer.
type Told struct {
	Name  string    `json:"name"`
	Class string    `json:"class"`
	X     []float64 `json:"x"` // in the drawing
	Y     []float64 `json:"y"`
	AtX   []string  `json:"at"` // what that is
	AtY   []string  `json:"is"`
}

// Draw draws the chart.
func (c *Chart) Draw() Drawing {
	f := c.layout()
	var b strings.Builder
	f.open(&b)
	f.bands(&b)
	f.grid(&b)
	d := Drawing{Data: Data{Left: left, Right: width - right, Top: above, Bottom: height - low, Width: width, Lines: []Told{}}}
	for i := range c.Lines {
		l := &c.Lines[i]
		f.line(&b, l)
		d.Legend = append(d.Legend, Key{Name: l.Name, Class: l.Class})
		d.Data.Lines = append(d.Data.Lines, f.told(l))
	}
	b.WriteString(`<g class="pointer"></g></svg>`)
	d.SVG = template.HTML(b.String()) // all that is not this package's own is escaped where it is written
	return d
}

// told says where a line's points are and what they are.
func (f *frame) told(l *Line) Told {
	t := Told{Name: l.Name, Class: l.Class, X: []float64{}, Y: []float64{}, AtX: []string{}, AtY: []string{}}
	for _, p := range l.Points {
		if isNumber(p.Y) {
			t.X, t.Y = append(t.X, round(f.x.at(p.X))), append(t.Y, round(f.y.at(p.Y)))
			t.AtX, t.AtY = append(t.AtX, f.X.Say(p.X)), append(t.AtY, f.Y.Say(p.Y))
		}
	}
	return t
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// round keeps a tenth of a unit of the drawing.
func round(v float64) float64 { return math.Round(v*10) / 10 }
