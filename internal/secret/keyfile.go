package secret

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rehu-heat/rehu/internal/fault"
)

// KeyFile is the name of the keyring in the data folder. Backups leave it out: keep a copy of it apart from them.
const KeyFile = "keys.json"

type keyFile struct {
	Keys  []key  `json:"keys"` // first is current
	Blind []byte `json:"blind"`
}

// LoadRing reads the keyring from env (the value of REHU_KEYS) or, when that is empty, from keys.json in the data folder,
// which it makes on the first start, readable by its owner only.
func LoadRing(dir, env string) (*Ring, error) {
	if env != "" {
		return ParseRing(env)
	}
	name := filepath.Join(dir, KeyFile)
	f, err := readKeyFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		first := keyFile{Keys: []key{{ID: newKeyID(), Key: randomKey()}}, Blind: randomKey()}
		if err := writeKeyFile(name, first, false); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		f, err = readKeyFile(name) // another process may have been first: its file counts
	}
	if err != nil {
		return nil, err
	}
	return newRing(f.Keys, f.Blind)
}

// AddKey puts a new current key before the others in the data folder's keyring. Running servers use it after a restart;
// Rotate then rewraps what the older keys wrapped.
func AddKey(dir string) (*Ring, error) {
	name := filepath.Join(dir, KeyFile)
	f, err := readKeyFile(name)
	if err != nil {
		return nil, err
	}
	if f.Blind == nil && len(f.Keys) > 0 {
		f.Blind = f.Keys[len(f.Keys)-1].Key
	}
	f.Keys = append([]key{{ID: newKeyID(), Key: randomKey()}}, f.Keys...)
	ring, err := newRing(f.Keys, f.Blind)
	if err != nil {
		return nil, err
	}
	return ring, writeKeyFile(name, f, true)
}

func newKeyID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "k" + hex.EncodeToString(b[:])
}

func readKeyFile(name string) (keyFile, error) {
	var f keyFile
	info, err := os.Stat(name)
	if err != nil {
		return f, fmt.Errorf("read the keyring: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return f, fault.New(fault.Invalid, "secret.file_mode", "file", name, "mode", fmt.Sprintf("%#o", info.Mode().Perm()))
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return f, fmt.Errorf("read the keyring: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fault.Wrap(err, fault.Invalid, "secret.bad_keys", "why", name+": "+err.Error())
	}
	return f, nil
}

// writeKeyFile puts the file in place whole and on disk, or not at all.
func writeKeyFile(name string, f keyFile, replace bool) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write the keyring: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".keys-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the keyring: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(b, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil && replace {
		err = os.Rename(tmp.Name(), name)
	} else if err == nil {
		err = os.Link(tmp.Name(), name) // fails if another process was first
	}
	if err != nil {
		return fmt.Errorf("write the keyring: %w", err)
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
