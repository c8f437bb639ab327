package cli

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/webpush"
)

// migrateCmd brings a database up to this program's schema without serving.
type migrateCmd struct{ where }

// Run implements the command.
func (c *migrateCmd) Run(r *run) error {
	a, err := c.open(r)
	if err != nil {
		return err
	}
	defer a.Close()
	v, err := a.Schema(r.ctx)
	if err != nil {
		return err
	}
	return r.line("cli.migrated", "version", v)
}

// settingsCmd looks at the settings.
type settingsCmd struct {
	Check   settingsCheckCmd `cmd:"" help:"${config_check}"`
	PushKey pushKeyCmd       `cmd:"" name:"push-key" help:"${config_push_key}"`
}

// pushKeyCmd makes the key of notifications in browsers.
type pushKeyCmd struct{}

// Run prints a new key as the environment wants it. Nothing is changed: a key that is in use goes on.
func (*pushKeyCmd) Run(r *run) error {
	key, err := webpush.NewKey()
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Out, "REHU_PUSH_KEY=%s\n", key.Secret())
	return nil
}

type settingsCheckCmd struct {
	where
	JSON bool `name:"json" help:"${json}"`
}

// Run prints every setting in force and where it comes from, also when some cannot be used.
func (c *settingsCheckCmd) Run(r *run) error {
	cfg, err := c.load(r)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := r.json(cfg.Effective()); err != nil {
			return err
		}
		return cfg.Check()
	}
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, s := range cfg.Effective() {
		from := s.From
		if from == "" {
			from = r.say("cli.default")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Key, s.Value, from)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return cfg.Check()
}

// backupCmd writes an archive.
type backupCmd struct {
	where
	To string `arg:"" optional:"" name:"file" help:"${backup_file}"`
}

// Run implements the command.
func (c *backupCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	p := r.progress()
	name, m, err := a.Backup(r.ctx, c.To, p.step)
	p.done()
	if err != nil {
		return err
	}
	if n := len(m.Missing); n > 0 {
		r.note("backup.missing_blobs", "count", n)
	}
	return r.line("backup.saved", "file", name, "rows", m.Total(), "blobs", m.Blobs)
}

// restoreCmd fills an empty installation from an archive.
type restoreCmd struct {
	where
	From string `arg:"" name:"file" help:"${restore_file}"`
}

// Run implements the command.
func (c *restoreCmd) Run(r *run) error {
	cfg, err := c.settings(r)
	if err != nil {
		return err
	}
	f, err := os.Open(c.From)
	if err != nil {
		return noFile(c.From, err)
	}
	defer f.Close()
	p := r.progress()
	m, err := app.Restore(r.ctx, cfg, r.options(), f, p.step)
	p.done()
	if err != nil {
		return err
	}
	if n := len(m.Missing); n > 0 {
		r.note("backup.missing_blobs", "count", n)
	}
	if m.KeyringDiffers() {
		r.note("backup.keyring_needed", "want", m.Header.Keyring, "have", m.Keyring)
	}
	return r.line("backup.restored", "rows", m.Total(), "blobs", m.Blobs)
}
