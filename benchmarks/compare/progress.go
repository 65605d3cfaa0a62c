package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress says how far a run is: a bar on a terminal, a line for each comparison elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	began    time.Time
	what     string
	bar      *progressbar.ProgressBar
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, began: time.Now()}
	if file, ok := out.(*os.File); ok {
		p.terminal = term.IsTerminal(int(file.Fd()))
	}
	return p
}

// say begins something.
func (p *progress) say(what string) {
	p.end()
	p.what = what
	if !p.terminal {
		fmt.Fprintf(p.out, "%7.1f s  %s\n", time.Since(p.began).Seconds(), what)
	}
}

// step says how far it is.
func (p *progress) step(done, of int) {
	if !p.terminal {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(fmt.Sprintf("%-26s", p.what)),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn is no reason to stop
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
