package cli

import (
	"io"
	"path/filepath"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/weather"
)

// mostBaseMap bounds a base map: what a city's map office gives out for an overview is far less.
const mostBaseMap = 64 << 20

// weather takes hourly temperatures over.
func (c *importCmd) weather(r *run, a *app.App, f io.Reader) error {
	list, err := weather.Read(filepath.Base(c.File), f)
	if err != nil {
		return err
	}
	source := c.Source
	if source == "" {
		source = filepath.Base(c.File)
	}
	if !c.DryRun {
		if err := a.Weather.Record(r.ctx, actor.SystemFor("import", actor.Command), weather.Record{City: c.City, Source: source, Readings: list}); err != nil {
			return err
		}
	}
	return c.counted(r, "cli.weather_imported", "cli.weather_would", len(list))
}

// baseMap puts a base map in the place of the city's present one.
func (c *importCmd) baseMap(r *run, a *app.App, f io.Reader) error {
	crs := geo.WGS84
	if c.CRS != "" {
		var err error
		if crs, err = geo.ParseCRS(c.CRS); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, mostBaseMap))
	if err != nil {
		return err
	}
	n, err := a.BaseMaps.Replace(r.ctx, actor.SystemFor("import", actor.Command),
		basemap.Replacing{City: c.City, Body: b, CRS: crs, Source: c.Source, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	return c.counted(r, "cli.basemap_imported", "cli.basemap_would", n)
}

// counted tells how much was taken over, or would be.
func (c *importCmd) counted(r *run, done, would string, n int) error {
	if c.JSON {
		return r.json(struct {
			Rows   int  `json:"rows"`
			DryRun bool `json:"dry_run"`
		}{n, c.DryRun})
	}
	if c.DryRun {
		done = would
	}
	return r.line(done, "n", n)
}
