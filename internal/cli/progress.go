package cli

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/rehu-heat/rehu/internal/backup"
)

// terminal reports whether somebody watches standard error, and standard input can be asked.
func (r *run) terminal() bool {
	f, ok := r.Err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress shows how far long work has come, on a terminal only.
type progress struct{ bar *progressbar.ProgressBar }

func (r *run) progress() *progress {
	if !r.terminal() {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(-1, progressbar.OptionSetWriter(r.Err), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())}
}

// step shows a step of a backup or a restore.
func (p *progress) step(s backup.Step) {
	if p.bar == nil {
		return
	}
	p.bar.Describe(s.Name)
	_ = p.bar.Set64(s.Done) // a bar that cannot be drawn is no fault
}

// of shows how much of a known amount is done.
func (p *progress) of(done, total int) {
	if p.bar == nil {
		return
	}
	p.bar.ChangeMax(total)
	_ = p.bar.Set(done) // as above
}

// part shows how much of a named part is done, in hundredths.
func (p *progress) part(name string, percent int) {
	if p.bar != nil {
		p.bar.Describe(name)
	}
	p.of(percent, 100)
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish() // as above
	}
}
