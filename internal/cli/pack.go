package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
)

// packCmd looks at city packs.
type packCmd struct {
	Schema packSchemaCmd `cmd:"" help:"${pack_schema}"`
	Check  packCheckCmd  `cmd:"" help:"${pack_check}"`
	List   packListCmd   `cmd:"" help:"${pack_list}"`
	Show   packShowCmd   `cmd:"" help:"${pack_show}"`
}

// packFolder is where packs other than the embedded ones lie.
type packFolder struct {
	Packs string `name:"packs" placeholder:"DIR" help:"${packs}"`
}

type packSchemaCmd struct{}

// Run implements the command.
func (packSchemaCmd) Run(r *run) error {
	_, err := r.Out.Write(append(citypack.Schema(), '\n'))
	return err
}

type packCheckCmd struct {
	packFolder
	Files []string `arg:"" name:"file" help:"${pack_file_arg}"`
}

// Run implements the command.
func (c *packCheckCmd) Run(r *run) error {
	set, err := app.LoadPacks(c.Packs)
	if err != nil {
		return err
	}
	var all citypack.Problems
	for _, name := range c.Files {
		b, err := os.ReadFile(name)
		if err != nil {
			return noFile(name, err)
		}
		all = append(all, set.CheckIn(name, b)...)
	}
	if len(all) > 0 {
		return fault.Wrap(all, fault.Invalid, "pack.invalid", "count", len(all), "first", all[0].String())
	}
	return r.line("cli.packs_good", "count", len(c.Files))
}

type packListCmd struct {
	packFolder
	JSON bool `name:"json" help:"${json}"`
}

// Run implements the command.
func (c *packListCmd) Run(r *run) error {
	set, err := app.LoadPacks(c.Packs)
	if err != nil {
		return err
	}
	if c.JSON {
		return r.json(set.Cities())
	}
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, s := range set.Cities() {
		fmt.Fprintf(t, "%d\t%s\t%s\n", s.Code, s.Edition, s.Name.In(r.lang))
	}
	return t.Flush()
}

type packShowCmd struct {
	packFolder
	City        int  `arg:"" name:"city" help:"${city}"`
	Provisional bool `name:"provisional" help:"${only_provisional}"`
	JSON        bool `name:"json" help:"${json}"`
}

// Run implements the command.
func (c *packShowCmd) Run(r *run) error {
	set, err := app.LoadPacks(c.Packs)
	if err != nil {
		return err
	}
	p, err := set.City(c.City)
	if err != nil {
		return err
	}
	values := p.Values()
	if c.Provisional {
		values = p.Provisionals()
	}
	if c.JSON {
		return r.json(values)
	}
	if _, err := fmt.Fprintf(r.Out, "%d %s %s\n", p.Code, p.Name.In(r.lang), p.Edition); err != nil {
		return err
	}
	for _, v := range values {
		mark := " "
		if v.Provisional {
			mark = "?"
		}
		if _, err := fmt.Fprintf(r.Out, "%s %s: %s  [%s, %s, %s]\n", mark, v.Label(r.lang), v.Text, v.Source, v.Confidence, v.File+":"+strconv.Itoa(v.Line)); err != nil {
			return err
		}
	}
	return nil
}

// json prints a value for programs.
func (r *run) json(v any) error { return writeJSON(r.Out, v) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
