package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rehu-heat/rehu/internal/backup"
	"github.com/rehu-heat/rehu/internal/config"
)

func (a *App) installation(progress func(backup.Step)) backup.Installation {
	return backup.Installation{DB: a.DB, Blobs: a.Blobs.Store(), Program: a.o.Version, Keyring: a.Ring.Fingerprint(), Progress: progress}
}

// Backup writes an archive: under the given file name, or, when that is empty, under its own name into the backup folder,
// where only the newest are kept. It gives the file's name.
func (a *App) Backup(ctx context.Context, name string, progress func(backup.Step)) (string, backup.Manifest, error) {
	if name != "" {
		m, err := backup.SaveAs(ctx, a.installation(progress), name)
		return name, m, err
	}
	name, m, err := backup.Save(ctx, a.installation(progress), a.Config.Backup.Dir)
	if err != nil {
		return "", m, err
	}
	_, err = backup.Prune(a.Config.Backup.Dir, a.Config.Backup.Keep)
	return name, m, err
}

func (a *App) scheduledBackup(ctx context.Context) error {
	name, m, err := a.Backup(ctx, "", nil)
	if err != nil {
		return fmt.Errorf("scheduled backup: %w", err)
	}
	a.Log.InfoContext(ctx, "backup written", "file", name, "rows", m.Total(), "blobs", m.Blobs)
	return nil
}

// Restored is what a restore brought, and whose keys its personal data need.
type Restored struct {
	backup.Manifest
	Keyring string // fingerprint of the keyring that is here
}

// KeyringDiffers reports whether the personal data need another keyring than the one that is here.
func (r Restored) KeyringDiffers() bool {
	return r.Header.Keyring != "" && r.Header.Keyring != r.Keyring
}

// Restore fills the empty installation of a Config from an archive and checks that everything arrived.
func Restore(ctx context.Context, cfg config.Config, o Options, archive io.ReadSeeker, progress func(backup.Step)) (Restored, error) {
	o.Alone = true
	a, err := open(ctx, cfg, o)
	if err != nil {
		return Restored{}, err
	}
	m, err := backup.Restore(ctx, a.installation(progress), archive)
	return Restored{Manifest: m, Keyring: a.Ring.Fingerprint()}, errors.Join(err, a.Close())
}
