package cli

import (
	"os"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
)

// where says which installation a command works on.
type where struct {
	File     string `name:"config" placeholder:"FILE" help:"${config_file}"`
	Data     string `name:"data" placeholder:"DIR" help:"${data}"`
	Database string `name:"database" placeholder:"URL" help:"${database}"`
}

// settings reads the installation's settings: flags over environment over file.
func (w where) settings(r *run) (config.Config, error) {
	c, err := w.load(r)
	if err != nil {
		return config.Config{}, err
	}
	return c, c.Check()
}

func (w where) load(r *run) (config.Config, error) {
	name := w.File
	if name == "" {
		name = getenv(r.Environ, "REHU_CONFIG")
	}
	c, err := config.Load(name, r.Environ)
	if err != nil {
		return config.Config{}, err
	}
	if err := c.Set("--data", "data", w.Data); err != nil {
		return config.Config{}, err
	}
	return c, c.Set("--database", "database", w.Database)
}

// named reports whether an installation was named at all.
func named(c config.Config) bool {
	return c.IsSet("data") || c.IsSet("database")
}

// open opens the installation for one command, making it if it does not exist yet.
func (w where) open(r *run) (*app.App, error) {
	c, err := w.settings(r)
	if err != nil {
		return nil, err
	}
	return app.New(r.ctx, c, r.options())
}

// openExisting refuses an installation that is not there, so that a mistyped folder does not become an empty city.
func (w where) openExisting(r *run) (*app.App, error) {
	c, err := w.settings(r)
	if err != nil {
		return nil, err
	}
	if err := exists(c); err != nil {
		return nil, err
	}
	return app.New(r.ctx, c, r.options())
}

func exists(c config.Config) error {
	if c.Database != "" {
		return nil
	}
	if _, err := os.Stat(c.SQLiteFile()); err != nil {
		return fault.Wrap(err, fault.NotFound, "cli.no_installation", "dir", c.Data)
	}
	return nil
}

func (r *run) options() app.Options { return app.Options{Version: r.Version, Log: quietLog(r.Err)} }
