package cli

import (
	"io"
	"os"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/citypack"
)

// importCmd reads a city's own tables.
type importCmd struct {
	where
	Kind   string `arg:"" name:"kind" enum:"holidays" help:"${import_kind}"`
	File   string `arg:"" name:"file" help:"${import_file}"`
	City   int    `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Source string `name:"source" placeholder:"TEXT" help:"${import_source}"`
	DryRun bool   `name:"dry-run" help:"${dry_run}"`
}

// Run implements the command.
func (c *importCmd) Run(r *run) error {
	f, err := os.Open(c.File)
	if err != nil {
		return noFile(c.File, err)
	}
	defer f.Close()
	a, err := c.open(r)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.AddCity(r.ctx, c.City); err != nil {
		return err
	}
	return c.holidays(r, a, f)
}

func (c *importCmd) holidays(r *run, a *app.App, f io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return err
	}
	by := actor.SystemFor("import", actor.Command)
	h, err := a.Rules.ImportHolidays(r.ctx, by, citypack.HolidayImport{City: c.City, Source: c.Source, Body: b, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	key := "cli.holidays_imported"
	switch {
	case !h.Changed:
		key = "cli.nothing_changed"
	case c.DryRun:
		key = "cli.holidays_would"
	}
	return r.line(key, "year", h.Year, "days", h.Days, "new", h.New, "gone", h.Gone, "off", h.Off)
}
