package main

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/parley-im/parley/benchmarks/isolation"
)

// The picture's measures.
const (
	width       = 860 * vg.Length(1)
	height      = 760 * vg.Length(1)
	margin      = 24 * vg.Length(1)
	headerSpace = 64 * vg.Length(1)
	footerSpace = 58 * vg.Length(1)
	panelGap    = 16 * vg.Length(1)
)

func ink() color.Color   { return color.RGBA{R: 0x1f, G: 0x29, B: 0x33, A: 0xff} }
func faint() color.Color { return color.RGBA{R: 0x5b, G: 0x67, B: 0x73, A: 0xff} }
func rule() color.Color  { return color.RGBA{R: 0xe3, G: 0xe7, B: 0xeb, A: 0xff} }
func other() color.Color { return color.RGBA{R: 0xc5, G: 0xcc, B: 0xd3, A: 0xff} }

// look is how a design is drawn.
type look struct {
	title string
	line  color.RGBA
	shade color.RGBA
}

func lookOf(d isolation.Design) look {
	return [isolation.Designs]look{
		isolation.Inline: {
			"Deleted inline, by whoever proposes", color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}, color.RGBA{R: 0xfb, G: 0xec, B: 0xea, A: 0xff},
		},
		isolation.Unpaced: {
			"Deleted by a reaper, as fast as it can", color.RGBA{R: 0xb2, G: 0x6a, B: 0x00, A: 0xff}, color.RGBA{R: 0xfc, G: 0xf1, B: 0xde, A: 0xff},
		},
		isolation.Paced: {
			"Deleted by a paced reaper: Parley's default", color.RGBA{R: 0x0b, G: 0x6e, B: 0x99, A: 0xff}, color.RGBA{R: 0xe4, G: 0xf1, B: 0xf7, A: 0xff},
		},
	}[d]
}

// picture is a canvas and the frame that its panels share.
type picture struct {
	draw.Canvas
	result                 *isolation.Result
	minX, maxX, minY, maxY float64
}

// render returns the SVG of a result: for each design a panel of the p99 and p50 of propose latency over time, all on the same axes.
func render(result *isolation.Result) ([]byte, error) {
	canvas := vgsvg.New(width, height)
	p := &picture{Canvas: draw.New(canvas), result: result}
	p.minX, p.maxX, p.minY, p.maxY = bounds(result)
	p.minY, p.maxY = p.minY/3, p.maxY*1.8 // room for a remark below the lines
	p.maxX += (p.maxX - p.minX) / 30      // and for their names behind them
	p.SetColor(color.White)
	p.Fill(p.Rectangle.Path())
	p.header()
	if err := p.panels(); err != nil {
		return nil, err
	}
	p.footer()
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	// Readers have other fonts than the one that the text was measured with; these are as wide.
	svg := strings.NewReplacer(
		"font-family:Liberation Sans;", "font-family:Liberation Sans,Helvetica,Arial,sans-serif;",
		fmt.Sprintf(`<svg width="%vpt" height="%vpt"`, float64(width), float64(height)),
		fmt.Sprintf(`<svg role="img" aria-label="Propose latency while conversations expire, in three designs" width="%v" height="%v"`, float64(width), float64(height)),
	).Replace(out.String())
	return []byte(svg), nil
}

func (p *picture) header() {
	c := p.result.Config
	p.say(margin, height-margin-12, 18, ink(), "What proposals feel while "+humanize.Comma(int64(c.Doomed))+" conversations expire at once")
	p.say(margin, height-margin-34, 12, faint(), fmt.Sprintf(
		"Latency of %s proposals/s, from the moment each was due until its reply, in windows of %v (logarithmic)", humanize.Comma(int64(c.Rate)), c.Window))
}

func (p *picture) footer() {
	c := p.result.Config
	p.say(margin, margin+16, 11, faint(), fmt.Sprintf(
		"Shaded: from the moment of expiry until the last of %s rows is gone. p50, p99 and p99.9 are of proposals due in that time.",
		humanize.Comma(int64(c.Doomed*c.Rows()))))
	p.say(margin, margin, 11, faint(), fmt.Sprintf(
		"%d turns of each design in one process, on the same fsynced store and load; replies at “%v”. Drawn by benchmarks/cmd/isolation.", c.Rounds, c.Ack))
}

// panels draws the designs from top to bottom.
func (p *picture) panels() error {
	room := draw.Crop(p.Canvas, margin, -margin, margin+footerSpace-20, -(margin + headerSpace - 12))
	tiles := draw.Tiles{Rows: isolation.Designs, Cols: 1, PadY: panelGap}
	plots := make([][]*plot.Plot, isolation.Designs)
	for d := range p.result.Series {
		panel, err := p.panel(isolation.Design(d))
		if err != nil {
			return err
		}
		plots[d] = []*plot.Plot{panel}
	}
	for d, row := range plot.Align(plots, tiles, room) {
		plots[d][0].Draw(row[0])
		p.captions(isolation.Design(d), row[0], plots[d][0])
	}
	return nil
}

func (p *picture) panel(d isolation.Design) (*plot.Plot, error) {
	panel := plot.New()
	panel.BackgroundColor = color.Transparent
	panel.Title.Text = " " // room for the captions
	panel.Title.TextStyle = style(15, ink())
	panel.Title.Padding = 4
	panel.X.Min, panel.X.Max = p.minX, p.maxX
	panel.Y.Min, panel.Y.Max = p.minY, p.maxY
	panel.Y.Scale = plot.LogScale{}
	panel.Y.Tick.Marker = plot.TickerFunc(latencyTicks)
	panel.X.Tick.Marker = plot.TickerFunc(secondTicks)
	for _, axis := range []*plot.Axis{&panel.X, &panel.Y} {
		axis.Color = rule()
		axis.Tick.Color = rule()
		axis.Tick.Label.Font = typeface(11)
		axis.Tick.Label.Color = faint()
		axis.Padding = 0
	}
	panel.Y.Padding = 3
	panel.Y.Tick.Length = 0
	if d == isolation.Designs-1 {
		panel.X.Label.Text = "seconds since the moment of expiry"
		panel.X.Label.TextStyle = style(11, faint())
		panel.X.Label.Padding = 4
	}

	look := lookOf(d)
	shade, err := plotter.NewPolygon(p.window(d))
	if err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	shade.Color = look.shade
	shade.LineStyle.Width = 0
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = rule()
	panel.Add(shade, grid)
	for o := range p.result.Series {
		if isolation.Design(o) != d {
			if err := p.line(panel, isolation.Design(o), 0.99, other(), 0.8); err != nil {
				return nil, err
			}
		}
	}
	if err := p.line(panel, d, 0.5, look.line, 0.9); err != nil {
		return nil, err
	}
	return panel, p.line(panel, d, 0.99, look.line, 2.2)
}

// line adds a quantile of a design to a panel.
func (p *picture) line(panel *plot.Plot, d isolation.Design, quantile float64, c color.Color, width vg.Length) error {
	points := curve(&p.result.Series[d], p.result.Config, quantile)
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	line.Color = c
	line.Width = width
	panel.Add(line)
	return nil
}

// window is the corners of the time in which a design deletes.
func (p *picture) window(d isolation.Design) plotter.XYs {
	end := min(deletedWithin(&p.result.Series[d]).Seconds(), p.maxX)
	start := max(0, p.minX)
	return plotter.XYs{{X: start, Y: p.minY}, {X: end, Y: p.minY}, {X: end, Y: p.maxY}, {X: start, Y: p.maxY}}
}

// captions writes what a panel shows: the design and its figures above it, and names beside its lines.
func (p *picture) captions(d isolation.Design, at draw.Canvas, panel *plot.Plot) {
	series, look := &p.result.Series[d], lookOf(d)
	data := panel.DataCanvas(at)
	above := data.Max.Y + 7
	p.say(data.Min.X, above, 13, look.line, look.title)
	figures := fmt.Sprintf("p50 %s · p99 %s · p99.9 %s", brief(series.During.Quantile(0.5)), brief(series.During.Quantile(0.99)), brief(series.During.Quantile(0.999)))
	p.sayRight(data.Max.X-16, above, 12, ink(), figures) // a reader's font may be a little wider

	toX, toY := panel.Transforms(&data)
	beside := func(quantile float64, name string) {
		// The name stands above the end of the line, where all is quiet again.
		if points := curve(series, p.result.Config, quantile); len(points) > 0 {
			last := points[len(points)-1]
			p.say(toX(last.X)+4, toY(last.Y)-3, 10, look.line, name)
		}
	}
	beside(0.99, "p99")
	beside(0.5, "p50")
	remark := fmt.Sprintf("all deleted after %.1f s", deletedWithin(series).Seconds())
	if series.Left > 0 {
		remark = humanize.Comma(int64(series.Left)) + " conversations not deleted"
	}
	p.say(toX(max(0, p.minX))+5, data.Min.Y+5, 10, look.line, remark)
}

func typeface(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func style(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: typeface(size), Handler: plot.DefaultTextHandler}
}

func (p *picture) say(x, y, size vg.Length, c color.Color, words string) {
	p.FillText(style(size, c), vg.Point{X: x, Y: y}, words)
}

func (p *picture) sayRight(x, y, size vg.Length, c color.Color, words string) {
	s := style(size, c)
	s.XAlign = text.XRight
	p.FillText(s, vg.Point{X: x, Y: y}, words)
}
