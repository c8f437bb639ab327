package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staff"
)

// keysFile holds the secrets of the demonstration's keys beside the keyring, readable by its owner only: the database keeps
// hashes, and whoever wrote a script against the demonstration wants the same keys after a restart.
const keysFile = "demonstration-keys.json"

type keys struct {
	Open311 string `json:"open311_key"`
	Token   string `json:"api_token"`
}

// keysOf gives the keys of an earlier start where they still open, or makes new ones and ends the old.
func keysOf(ctx context.Context, a *app.App) (keys, error) {
	file := ""
	if a.Config.Data != "" {
		file = filepath.Join(a.Config.Data, keysFile)
	}
	k, err := readKeys(file)
	if err != nil {
		return keys{}, err
	}
	good := k.Open311 != ""
	for _, secret := range []string{k.Open311, k.Token} {
		_, ok, err := a.Staff.AuthenticateKey(ctx, secret)
		good = good && ok && err == nil
	}
	if good {
		return k, nil
	}
	if k, err = newKeys(ctx, a); err != nil || file == "" {
		return k, err
	}
	return k, writeKeys(file, k)
}

func readKeys(file string) (k keys, err error) {
	if file == "" {
		return k, nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("read the demonstration's keys: %w", err)
	}
	if !json.Valid(b) {
		return keys{}, nil // half written: new ones are made
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("read the demonstration's keys: %w", err)
	}
	return k, nil
}

func writeKeys(file string, k keys) error {
	b, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("write the demonstration's keys: %w", err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep the demonstration's keys: %w", err)
	}
	return nil
}

// newKeys makes both keys and ends those of which nobody has the secret any more.
func newKeys(ctx context.Context, a *app.App) (keys, error) {
	old, err := a.Staff.Keys(ctx, owner, sim.Code, page.Request{Size: page.MaxSize})
	if err != nil {
		return keys{}, fmt.Errorf("list keys: %w", err)
	}
	for _, k := range old.Items {
		if k.Name == keysName && k.Revoked.IsZero() {
			if err := a.Staff.RevokeKey(ctx, owner, k.ID); err != nil {
				return keys{}, fmt.Errorf("end an old key: %w", err)
			}
		}
	}
	partner, err := a.Staff.CreateKey(ctx, owner, staff.NewKey{City: sim.Code, Name: keysName, Org: "hotline", Grants: []actor.Grant{{Role: actor.RolePartner, City: sim.Code}}})
	if err != nil {
		return keys{}, fmt.Errorf("make a key: %w", err)
	}
	var all []actor.Grant
	for _, r := range []actor.Role{actor.RoleSeat, actor.RoleDispatcher, actor.RoleLeader, actor.RoleSectionHead, actor.RoleVerifier, actor.RoleSupervisor, actor.RoleAdmin} {
		all = append(all, actor.Grant{Role: r, City: sim.Code})
	}
	token, err := a.Staff.CreateKey(ctx, owner, staff.NewKey{City: sim.Code, Name: keysName, Org: "centre", Grants: all})
	if err != nil {
		return keys{}, fmt.Errorf("make a key: %w", err)
	}
	return keys{partner.Secret, token.Secret}, nil
}
