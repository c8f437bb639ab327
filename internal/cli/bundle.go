package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/fault"
)

// exportCmd writes files that anyone can check: audit chains, the refund of a home, the claims of a season.
type exportCmd struct {
	Chains    exportChainsCmd    `cmd:"" default:"withargs" help:"${export_chains}"`
	Household exportHouseholdCmd `cmd:"" help:"${export_household}"`
	Season    exportSeasonCmd    `cmd:"" help:"${export_season}"`
}

// exportHouseholdCmd writes everything about the refund of one home.
type exportHouseholdCmd struct {
	where
	City    int     `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Season  string  `name:"season" required:"" placeholder:"YYYY-YYYY" help:"${settle_season}"`
	Account string  `name:"account" required:"" help:"${export_account}"`
	Root    []int64 `name:"root" placeholder:"SIZE" help:"${export_root}"`
	Out     string  `arg:"" optional:"" name:"file" help:"${export_file}"`
}

// Run implements the command. A file appears whole or not at all.
func (c *exportHouseholdCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	in := bundle.HouseholdRequest{City: c.City, Season: c.Season, Account: c.Account, Roots: c.Root}
	return r.writeTo(c.Out, func(w io.Writer) error {
		return a.Bundles.ExportHousehold(r.ctx, actor.SystemFor("export", actor.Command), in, w)
	})
}

// exportSeasonCmd writes all claims of a city and season.
type exportSeasonCmd struct {
	where
	City   int     `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Season string  `name:"season" required:"" placeholder:"YYYY-YYYY" help:"${settle_season}"`
	Root   []int64 `name:"root" placeholder:"SIZE" help:"${export_root}"`
	Out    string  `arg:"" optional:"" name:"file" help:"${export_file}"`
}

// Run implements the command. A file appears whole or not at all.
func (c *exportSeasonCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	p := r.progress()
	defer p.done()
	in := bundle.SeasonRequest{City: c.City, Season: c.Season, Roots: c.Root, Progress: func(done, total int64) { p.of(int(done), int(total)) }}
	return r.writeTo(c.Out, func(w io.Writer) error {
		return a.Bundles.ExportSeason(r.ctx, actor.SystemFor("export", actor.Command), in, w)
	})
}

// writeTo writes to a file, or to standard output where none is named.
func (r *run) writeTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(r.Out)
	}
	return writeWhole(name, write)
}

// exportChainsCmd writes audit chains.
type exportChainsCmd struct {
	where
	City    int      `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Subject []string `name:"subject" placeholder:"KIND:ID" help:"${export_subject}"`
	Kind    string   `name:"kind" placeholder:"KIND" help:"${export_kind}"`
	From    string   `name:"from" placeholder:"DATE" help:"${export_from}"`
	To      string   `name:"to" placeholder:"DATE" help:"${export_to}"`
	Root    []int64  `name:"root" placeholder:"SIZE" help:"${export_root}"`
	Out     string   `arg:"" optional:"" name:"file" help:"${export_file}"`
}

// Run implements the command. A file appears whole or not at all.
func (c *exportChainsCmd) Run(r *run) error {
	from, err1 := dayFlag("from", c.From)
	to, err2 := dayFlag("to", c.To)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	in := bundle.Request{City: c.City, Subjects: c.Subject, Kind: c.Kind, From: from.Start(), Roots: c.Root}
	if !to.IsZero() {
		in.To = to.End()
	}
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	by := actor.SystemFor("export", actor.Command)
	return r.writeTo(c.Out, func(w io.Writer) error { return a.Bundles.Export(r.ctx, by, in, w) })
}

// writeWhole writes a file beside its place and moves it there when it is complete.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".rehu-*")
	if err != nil {
		return noFile(name, err)
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// verifyCmd checks an export offline, or, without a file, an installation's own log.
type verifyCmd struct {
	where
	File string `arg:"" optional:"" name:"file" help:"${verify_file}"`
	City int    `name:"city" placeholder:"CODE" help:"${verify_city}"`
	Root string `name:"root" placeholder:"SIZE:HASH" help:"${verify_root}"`
	Key  string `name:"key" placeholder:"KEY" help:"${verify_key}"`
	JSON bool   `name:"json" help:"${json}"`
}

// Run implements the command.
func (c *verifyCmd) Run(r *run) error {
	root, err := c.root()
	if err != nil {
		return err
	}
	if c.File == "" {
		return c.inspect(r, root)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return noFile(c.File, err)
	}
	defer f.Close()
	report, err := bundle.Verify(f, bundle.Verification{Root: root, Key: c.Key})
	if err != nil && len(report.Problems) == 0 {
		return err
	}
	if c.JSON {
		return errors.Join(r.json(report), err)
	}
	for _, p := range report.Problems {
		if err := r.line("cli.problem_line", "line", p.Line, "what", p.Message.In(r.lang)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if report.Pending > 0 {
		r.note("bundle.pending", "pending", report.Pending)
	}
	if !report.KnownKey {
		r.note("bundle.unknown_key")
	}
	if report.Header.Scope != nil {
		if report.Unproved > 0 {
			r.note("bundle.unproved", "count", report.Unproved)
		}
		if err := r.line("bundle.money_valid", "claims", report.Claims, "amount", report.Refunds.Yuan()); err != nil {
			return err
		}
	}
	return r.line("bundle.valid", "chains", report.Chains, "entries", report.Entries)
}

func (c *verifyCmd) root() (*bundle.Root, error) {
	if c.Root == "" {
		return nil, nil //nolint:nilnil // nothing was written down
	}
	root, err := bundle.ParseRoot(c.Root)
	return &root, err
}

func (c *verifyCmd) inspect(r *run, root *bundle.Root) error {
	if c.City == 0 {
		return fault.New(fault.Invalid, "cli.verify_what")
	}
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	found, err := a.Bundles.Inspect(r.ctx, actor.SystemFor("verify", actor.Command), c.City, root)
	if err != nil && len(found.Problems) == 0 {
		return err
	}
	if c.JSON {
		return errors.Join(r.json(found), err)
	}
	r.problems(found.Problems)
	if err != nil {
		return err
	}
	return r.line("cli.log_sound", "leaves", found.Leaves, "heads", found.Heads, "root", found.Root.String())
}

func (r *run) problems(list []bundle.Problem) {
	for _, p := range list {
		fmt.Fprintln(r.Out, p.Message.In(r.lang))
	}
}

// rootCmd prints the root of a city's log, to be written down or published.
type rootCmd struct {
	where
	City int  `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	JSON bool `name:"json" help:"${json}"`
}

// Run implements the command.
func (c *rootCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	root, err := a.Root(r.ctx, c.City)
	if err != nil {
		return err
	}
	if c.JSON {
		return r.json(root)
	}
	_, err = fmt.Fprintln(r.Out, root.String())
	return err
}
