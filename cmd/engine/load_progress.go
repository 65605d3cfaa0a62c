package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/parley-im/parley/benchmarks/load"
)

// loadProgress returns what shows how a load goes, in a line that is drawn over and over, and what takes it off the screen again. Only a terminal is shown anything.
func loadProgress(w io.Writer) (show func(load.Progress), hide func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	return barOf(file)
}

// barOf draws to a terminal.
func barOf(w io.Writer) (show func(load.Progress), hide func()) {
	var bar *progressbar.ProgressBar
	var of int64
	show = func(p load.Progress) {
		done, total := int64(p.Prepared), int64(p.Preparing)
		if p.Total > 0 {
			done, total = p.Done.Milliseconds(), p.Total.Milliseconds()
		}
		if total == 0 {
			return
		}
		if bar == nil || of != total {
			if bar != nil {
				_ = bar.Clear() // a line that cannot be drawn is no reason to stop; likewise below
			}
			of = total
			bar = progressbar.NewOptions64(total,
				progressbar.OptionSetWriter(w),
				progressbar.OptionSetWidth(16),
				progressbar.OptionSetPredictTime(false),
				progressbar.OptionClearOnFinish(),
			)
		}
		bar.Describe(progressLine(&p))
		_ = bar.Set64(min(done, total-1)) // the end is hide's
	}
	hide = func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
	return show, hide
}

// progressLine says where a load is and how it goes.
func progressLine(p *load.Progress) string {
	if p.Total == 0 {
		return fmt.Sprintf("%s: %s of %s begun", p.Phase, humanize.Comma(int64(p.Prepared)), humanize.Comma(int64(p.Preparing)))
	}
	line := fmt.Sprintf("%s %v of %v: %s/s, p99 %v, %s unanswered", p.Phase, p.Done.Round(time.Second), p.Total.Round(time.Second),
		humanize.Comma(int64(p.Answered+0.5)), p.P99.Round(10*time.Microsecond), humanize.Comma(int64(p.Unanswered)))
	if p.Refused > 0 {
		line += fmt.Sprintf(", %s refused", humanize.Comma(int64(p.Refused)))
	}
	if p.Dropped > 0 {
		line += fmt.Sprintf(", %s dropped", humanize.Comma(int64(p.Dropped)))
	}
	return line
}
