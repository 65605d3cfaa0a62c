package chart

import (
	"fmt"
	"html"
	"strings"
)

func (f *frame) open(b *strings.Builder) {
	fmt.Fprintf(b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(f.Title))
}

func (f *frame) bands(b *strings.Builder) {
	for i, band := range f.Bands {
		class := [...]string{"band", "band other"}[i%2]
		if band.Faint {
			class = "band faint"
		}
		from, to := f.x.at(band.From), f.x.at(band.To)
		fmt.Fprintf(b, `<rect class="%s" x="%v" y="%d" width="%v" height="%d"/>`, class, round(from), above, round(max(0, to-from)), height-low-above)
		fmt.Fprintf(b, `<text class="name" x="%v" y="%d">%s</text>`, round(from+4), above-8, html.EscapeString(band.Name))
	}
}

func (f *frame) grid(b *strings.Builder) {
	for _, t := range f.y.ticks {
		at := round(f.y.at(t.value))
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%v" y2="%v"/>`, left, width-right, at, at)
		fmt.Fprintf(b, `<text class="tick end" x="%d" y="%v">%s</text>`, left-8, at+4, html.EscapeString(t.text))
	}
	for _, t := range f.x.ticks {
		at := round(f.x.at(t.value))
		fmt.Fprintf(b, `<line class="grid" x1="%v" x2="%v" y1="%d" y2="%d"/>`, at, at, height-low, height-low+4)
		fmt.Fprintf(b, `<text class="tick middle" x="%v" y="%d">%s</text>`, at, height-low+18, html.EscapeString(t.text))
	}
	fmt.Fprintf(b, `<text class="tick end" x="%d" y="%d">%s</text>`, width-right, height-5, html.EscapeString(f.X.Label))
}

// line draws the runs between the gaps.
func (f *frame) line(b *strings.Builder, l *Line) {
	var run []Point
	end := func() {
		switch {
		case len(run) == 1:
			fmt.Fprintf(b, `<circle class="%s dot" cx="%v" cy="%v" r="2"/>`, html.EscapeString(l.Class), round(f.x.at(run[0].X)), round(f.y.at(run[0].Y)))
		case len(run) > 1:
			f.path(b, l, run)
		}
		run = run[:0]
	}
	for _, p := range l.Points {
		if !isNumber(p.Y) {
			end()
			continue
		}
		run = append(run, p)
	}
	end()
}

func (f *frame) path(b *strings.Builder, l *Line, run []Point) {
	var path strings.Builder
	for i, p := range run {
		step := "L"
		if i == 0 {
			step = "M"
		}
		fmt.Fprintf(&path, "%s%v %v", step, round(f.x.at(p.X)), round(f.y.at(p.Y)))
	}
	if l.Filled {
		fmt.Fprintf(b, `<path class="%s area" d="%sL%v %dL%v %dZ"/>`, html.EscapeString(l.Class), path.String(),
			round(f.x.at(run[len(run)-1].X)), height-low, round(f.x.at(run[0].X)), height-low)
	}
	fmt.Fprintf(b, `<path class="%s line" d="%s"/>`, html.EscapeString(l.Class), path.String())
}
