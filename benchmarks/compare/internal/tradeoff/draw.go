package tradeoff

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The measures of a picture.
const (
	width       = 860 * vg.Length(1)
	panelHeight = 190 * vg.Length(1)
	margin      = 24 * vg.Length(1)
	header      = 52 * vg.Length(1)
)

func ink() color.Color   { return color.RGBA{R: 0x1f, G: 0x29, B: 0x33, A: 0xff} }
func faint() color.Color { return color.RGBA{R: 0x5b, G: 0x67, B: 0x73, A: 0xff} }
func rule() color.Color  { return color.RGBA{R: 0xe3, G: 0xe7, B: 0xeb, A: 0xff} }

// hue returns the colour of the n-th line of a panel.
func hue(n int) color.Color {
	return []color.Color{
		color.RGBA{R: 0x0b, G: 0x6e, B: 0x99, A: 0xff}, color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}, color.RGBA{R: 0xb2, G: 0x6a, B: 0x00, A: 0xff},
	}[n%3]
}

// picture is panels above each other, all over the same values from left to right.
type picture struct {
	title  string
	across string    // what the values are
	at     []float64 // they, from low to high, on a logarithmic axis
	labels []string  // of them
	panels []panel
}

// panel is lines over the picture's values.
type panel struct {
	title string
	log   bool
	write func(float64) string // a tick
	lines []line
}

// line is one value for each of the picture's.
type line struct {
	name   string
	values []float64
}

// render returns the picture as SVG.
func (p *picture) render() ([]byte, error) {
	height := header + panelHeight*vg.Length(len(p.panels)) + 2*margin
	canvas := vgsvg.New(width, height)
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	say(all, margin, height-margin-8, 17, ink(), p.title)
	room := draw.Crop(all, margin, -margin-10, margin, -header)
	plots := make([][]*plot.Plot, len(p.panels))
	for i := range p.panels {
		drawn, err := p.panel(i)
		if err != nil {
			return nil, err
		}
		plots[i] = []*plot.Plot{drawn}
	}
	for i, row := range plot.Align(plots, draw.Tiles{Rows: len(p.panels), Cols: 1, PadY: 18}, room) {
		plots[i][0].Draw(row[0])
		p.name(i, row[0], plots[i][0])
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	// Readers have other fonts than the one that the text was measured with; these are as wide.
	return []byte(strings.NewReplacer(
		"font-family:Liberation Sans;", "font-family:Liberation Sans,Helvetica,Arial,sans-serif;",
		fmt.Sprintf(`<svg width="%vpt" height="%vpt"`, float64(width), float64(height)),
		fmt.Sprintf(`<svg role="img" aria-label="%s" width="%v" height="%v"`, p.title, float64(width), float64(height)),
	).Replace(out.String())), nil
}

// panel draws one of the panels.
func (p *picture) panel(i int) (*plot.Plot, error) {
	what := p.panels[i]
	drawn := plot.New()
	drawn.BackgroundColor = color.Transparent
	drawn.Title.Text = " " // room for what is written there
	drawn.Title.TextStyle = style(13, ink())
	drawn.Title.Padding = 6
	drawn.X.Scale = plot.LogScale{}
	drawn.X.Min, drawn.X.Max = p.at[0], p.at[len(p.at)-1]
	drawn.X.Tick.Marker = plot.TickerFunc(func(float64, float64) []plot.Tick { return p.ticks() })
	low, high := what.bounds()
	drawn.Y.Min, drawn.Y.Max = low, high
	if what.log {
		drawn.Y.Scale = plot.LogScale{}
	}
	drawn.Y.Tick.Marker = plot.TickerFunc(what.ticks)
	for _, axis := range []*plot.Axis{&drawn.X, &drawn.Y} {
		axis.Color, axis.Tick.Color = rule(), rule()
		axis.Tick.Label.Font, axis.Tick.Label.Color = typeface(11), faint()
		axis.Padding = 3
	}
	if i == len(p.panels)-1 {
		drawn.X.Label.Text = p.across
		drawn.X.Label.TextStyle = style(11, faint())
		drawn.X.Label.Padding = 4
	}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = rule()
	drawn.Add(grid)
	for n, l := range what.lines {
		curve, points, err := plotter.NewLinePoints(p.points(l, low))
		if err != nil {
			return nil, fmt.Errorf("drawing: %w", err)
		}
		curve.Color, curve.Width = hue(n), 2
		points.Color, points.Shape, points.Radius = hue(n), draw.CircleGlyph{}, 2.5
		drawn.Add(curve, points)
	}
	return drawn, nil
}

// points are where a line goes; what lies below the axis is drawn on it.
func (p *picture) points(l line, low float64) plotter.XYs {
	points := make(plotter.XYs, len(l.values))
	for i, value := range l.values {
		points[i] = plotter.XY{X: p.at[i], Y: max(value, low)}
	}
	return points
}

// name writes a panel's title above it, and to the right the names of its lines, where there are several.
func (p *picture) name(i int, at draw.Canvas, drawn *plot.Plot) {
	data := drawn.DataCanvas(at)
	above := data.Max.Y + 8
	say(at, data.Min.X, above, 12, ink(), p.panels[i].title)
	if len(p.panels[i].lines) < 2 {
		return
	}
	right := data.Max.X
	for n, l := range slices.Backward(p.panels[i].lines) {
		style, name := style(11, hue(n)), "● "+l.name
		right -= style.Width(name)
		at.FillText(style, vg.Point{X: right, Y: above}, name)
		right -= 18
	}
}

func (p *picture) ticks() []plot.Tick {
	ticks := make([]plot.Tick, len(p.at))
	for i, value := range p.at {
		ticks[i] = plot.Tick{Value: value, Label: p.labels[i]}
	}
	return ticks
}

// bounds returns the ends of the upright axis.
func (p *panel) bounds() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, l := range p.lines {
		for _, value := range l.values {
			if value > 0 {
				low = min(low, value)
			}
			high = max(high, value)
		}
	}
	switch {
	case high == 0:
		low, high = 0, 1
	case p.log:
		low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high*1.05)))
	default:
		low, high = 0, high*1.15
	}
	if p.log && low <= 0 {
		low = 0.1
	}
	return low, high
}

// ticks marks decades, or about four round steps.
func (p *panel) ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	if p.log {
		for at := low; at <= high*1.001; at *= 10 {
			ticks = append(ticks, plot.Tick{Value: at, Label: p.write(at)})
		}
		return ticks
	}
	step := math.Pow(10, math.Floor(math.Log10(high/2)))
	for _, times := range []float64{5, 2} {
		if high/(step*times) >= 3 {
			step *= times
			break
		}
	}
	for at := 0.0; at <= high; at += step {
		ticks = append(ticks, plot.Tick{Value: at, Label: p.write(at)})
	}
	return ticks
}

func typeface(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func style(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: typeface(size), Handler: plot.DefaultTextHandler}
}

func say(canvas draw.Canvas, x, y, size vg.Length, c color.Color, words string) {
	canvas.FillText(style(size, c), vg.Point{X: x, Y: y}, words)
}
