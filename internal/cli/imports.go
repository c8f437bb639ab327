package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/text"
)

// importCmd reads a city's own tables.
type importCmd struct {
	where
	Kind    string `arg:"" name:"kind" enum:"companies,areas,communities,buildings,households,duty,fees,meters,instruments,cases,clues,hotline,holidays,weather,basemap" help:"${import_kind}"`
	File    string `arg:"" name:"file" help:"${import_file}"`
	City    int    `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Version string `name:"version" placeholder:"NAME" help:"${import_version}"`
	From    string `name:"from" placeholder:"DATE" help:"${import_from}"`
	Source  string `name:"source" placeholder:"TEXT" help:"${import_source}"`
	Account string `name:"account" default:"import" placeholder:"NAME" help:"${import_account}"`
	Company string `name:"company" placeholder:"CODE" help:"${import_company}"`
	CRS     string `name:"crs" placeholder:"wgs84|gcj02" help:"${crs}"`
	DryRun  bool   `name:"dry-run" help:"${dry_run}"`
	JSON    bool   `name:"json" help:"${json}"`
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
	if _, err := a.Packs.City(c.City); err != nil {
		return err
	}
	if !c.DryRun {
		if err := a.AddCity(r.ctx, c.City); err != nil {
			return err
		}
	}
	switch c.Kind {
	case "holidays":
		return c.holidays(r, a, f)
	case "cases":
		return c.tickets(r, a, f)
	case "clues":
		return c.clues(r, a, f)
	case "hotline":
		return c.calls(r, a, f)
	case "instruments":
		return c.instruments(r, a, f)
	case "meters":
		return c.meters(r, a, f)
	case "weather":
		return c.weather(r, a, f)
	case "basemap":
		return c.baseMap(r, a, f)
	default:
		return c.list(r, a, f)
	}
}

// list takes a company's or the city's list over.
func (c *importCmd) list(r *run, a *app.App, f *os.File) error {
	from, err := dayFlag("from", c.From)
	if err != nil {
		return err
	}
	var crs geo.CRS
	if c.CRS != "" {
		if crs, err = geo.ParseCRS(c.CRS); err != nil {
			return err
		}
	}
	p := r.progress()
	report, err := a.Register.Import(r.ctx, actor.SystemFor("import", actor.Command), register.Request{
		City: c.City, Kind: place.Kind(c.Kind), Version: c.Version, From: from, Source: c.Source, CRS: crs, DryRun: c.DryRun,
		Name: filepath.Base(c.File), Progress: p.of,
	}, f)
	p.done()
	if c.JSON {
		if err == nil || len(report.Faults) > 0 {
			_ = r.json(report) // the fault that follows says more than a broken pipe
		}
		return err
	}
	c.rows(r, report.Faults, "cli.fault")
	c.rows(r, report.Warnings, "cli.warning")
	if err != nil {
		return err
	}
	if err := c.imported(r, report.Rows, report.Added, report.Changed, report.Unchanged); err != nil {
		return err
	}
	if d := report.Diff; d != nil {
		return r.line("cli.handed", "from", d.From, "to", d.To, "since", d.Since.String(), "communities", len(d.Communities),
			"areas", len(d.Areas), "cases", d.OpenCases)
	}
	return nil
}

// told writes what came of an import, as JSON or fault by fault. More is to be said only of one that went well, and in words.
func told[F cases.RowFault | clue.RowFault | equipment.RowFault | fee.RowFault](c *importCmd, r *run, report any, faults []F, err error) (more bool, _ error) {
	if c.JSON {
		if err == nil || len(faults) > 0 {
			_ = r.json(report) // the fault that follows says more than a broken pipe
		}
		return false, err
	}
	for _, f := range faults {
		f := register.RowFault(f)
		c.row(r, f.Row, f.Column, "cli.fault", f.Message)
	}
	return err == nil, err
}

// rows names every row that is wrong or doubtful.
func (c *importCmd) rows(r *run, list []register.RowFault, key string) {
	for _, f := range list {
		c.row(r, f.Row, f.Column, key, f.Message)
	}
}

func (c *importCmd) row(r *run, row int, column, key string, what text.Message) {
	at := fmt.Sprintf("%s:%d", c.File, row)
	if row == 0 {
		at = c.File
	}
	if column != "" {
		at += " " + column
	}
	r.note(key, "at", at, "what", what)
}

// imported says what became of the rows of a list, or would without a dry run.
func (c *importCmd) imported(r *run, rows, added, changed, unchanged int) error {
	key := "cli.imported"
	if c.DryRun {
		key = "cli.would_import"
	}
	return r.line(key, "rows", rows, "added", added, "changed", changed, "unchanged", unchanged)
}

// instruments takes a list of measuring instruments over.
func (c *importCmd) instruments(r *run, a *app.App, f *os.File) error {
	report, err := a.Equipment.Import(r.ctx, actor.SystemFor("import", actor.Command),
		equipment.Sheet{City: c.City, Name: filepath.Base(c.File), Reader: f, DryRun: c.DryRun})
	if more, err := told(c, r, report, report.Faults, err); !more {
		return err
	}
	return c.imported(r, report.Rows, report.Added, report.Changed, report.Unchanged)
}

// meters takes readings of households' heat meters over.
func (c *importCmd) meters(r *run, a *app.App, f *os.File) error {
	report, err := a.Fees.ImportMeters(r.ctx, actor.SystemFor("import", actor.Command),
		fee.MeterSheet{City: c.City, Name: filepath.Base(c.File), Reader: f, DryRun: c.DryRun})
	if more, err := told(c, r, report, report.Faults, err); !more {
		return err
	}
	return c.imported(r, report.Rows, report.Added, report.Changed, report.Unchanged)
}

// tickets takes another hotline's tickets over.
func (c *importCmd) tickets(r *run, a *app.App, f *os.File) error {
	p := r.progress()
	report, err := a.Cases.Import(r.ctx, actor.SystemFor("import", actor.Command),
		cases.Sheet{City: c.City, Name: filepath.Base(c.File), Reader: f, DryRun: c.DryRun, Progress: p.of})
	p.done()
	if more, err := told(c, r, report, report.Faults, err); !more {
		return err
	}
	key := "cli.cases_imported"
	if c.DryRun {
		key = "cli.cases_would"
	}
	return r.line(key, "rows", report.Rows, "opened", report.Opened, "known", report.Known, "changed", report.Changed)
}

// clues takes posts of a monitoring vendor into the queue of clues.
func (c *importCmd) clues(r *run, a *app.App, f *os.File) error {
	p := r.progress()
	report, err := a.Clues.Import(r.ctx, actor.SystemFor("import", actor.Command),
		clue.Importing{City: c.City, Account: c.Account, Name: filepath.Base(c.File), DryRun: c.DryRun, Progress: p.of}, f)
	p.done()
	if more, err := told(c, r, report, report.Faults, err); !more {
		return err
	}
	key := "cli.clues_imported"
	if c.DryRun {
		key = "cli.clues_would"
	}
	return r.line(key, "rows", report.Rows, "new", report.New, "known", report.Known)
}

// calls takes over what a company's own hotline was told.
func (c *importCmd) calls(r *run, a *app.App, f *os.File) error {
	p := r.progress()
	report, err := a.Exchange.ImportCalls(r.ctx, actor.SystemFor("import", actor.Command),
		exchange.CallSheet{City: c.City, Company: c.Company, Name: filepath.Base(c.File), Reader: f, DryRun: c.DryRun, Progress: p.of})
	p.done()
	if more, err := told(c, r, report, report.Faults, err); !more {
		return err
	}
	key := "cli.calls_imported"
	if c.DryRun {
		key = "cli.calls_would"
	}
	return r.line(key, "rows", report.Rows, "opened", report.Opened, "known", report.Known, "late", report.Late)
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
	if c.JSON {
		return r.json(h)
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
