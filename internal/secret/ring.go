// Package secret keeps residents' names, telephones and ID numbers unreadable to anybody who gets hold of the database
// or of a backup, and shows them masked to staff.
//
// Each person has a key of their own (table data_subject), wrapped by the installation's keyring, which never is in a
// backup. Erasing a person destroys that key: whatever was sealed with it stays unreadable for good, also in old backups,
// while the audit chains still verify. Telephones and names are found again by a keyed hash (the blind index).
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

const keySize = 32 // AES-256

// blindID is the id under which the root of the blind index may stand in a keyring.
const blindID = "blind"

var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Ring is the installation's keyring: the current key, earlier ones that still open what they wrapped, and the key of the
// blind index, which stays the same when keys rotate.
type Ring struct {
	current string
	keys    map[string]cipher.AEAD
	blind   []byte
	print   string
}

// key is one named key of a keyring as the operator keeps it.
type key struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// ParseRing reads a keyring written as "id:base64,id:base64,…", 32 bytes each. The first key is the current one. The
// blind index stands on the key named "blind", or without one on the last (oldest) key, which then must stay.
func ParseRing(s string) (*Ring, error) {
	var keys []key
	var root []byte
	for part := range strings.SplitSeq(s, ",") {
		id, b64, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			return nil, badKeys("each entry must be id:base64")
		}
		raw, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			return nil, badKeys("key " + id + " is not base64")
		}
		if id == blindID {
			root = raw
			continue
		}
		keys = append(keys, key{ID: id, Key: raw})
	}
	return newRing(keys, root)
}

func badKeys(why string) error { return fault.New(fault.Invalid, "secret.bad_keys", "why", why) }

func newRing(keys []key, root []byte) (*Ring, error) {
	if len(keys) == 0 {
		return nil, badKeys("there is no key")
	}
	r := &Ring{current: keys[0].ID, keys: make(map[string]cipher.AEAD, len(keys))}
	for _, k := range keys {
		if !keyID.MatchString(k.ID) {
			return nil, badKeys("key id " + k.ID + " must be 1 to 32 letters, digits, - or _")
		}
		if _, twice := r.keys[k.ID]; twice {
			return nil, badKeys("key " + k.ID + " stands twice")
		}
		if len(k.Key) != keySize {
			return nil, badKeys(fmt.Sprintf("key %s has %d bytes, not %d", k.ID, len(k.Key), keySize))
		}
		aead, err := sealer(derive(k.Key, "rehu wrap v1"))
		if err != nil {
			return nil, err
		}
		r.keys[k.ID] = aead
	}
	if root == nil {
		root = keys[len(keys)-1].Key
	}
	if len(root) != keySize {
		return nil, badKeys(fmt.Sprintf("the blind index key has %d bytes, not %d", len(root), keySize))
	}
	r.blind = derive(root, "rehu blind index v1")
	r.print = hex.EncodeToString(derive(root, "rehu fingerprint v1"))[:16]
	return r, nil
}

// derive makes a key for one purpose out of another, so that no two purposes ever share key bytes.
func derive(secret []byte, purpose string) []byte {
	k, err := hkdf.Key(sha256.New, secret, nil, purpose, keySize)
	if err != nil {
		panic(err) // only a length beyond HKDF's limit fails, and it is a constant
	}
	return k
}

// Current is the id of the key that wraps from now on.
func (r *Ring) Current() string { return r.current }

// Fingerprint names the keyring without giving anything away; a backup carries it to say which keyring it needs. It does
// not change when keys rotate.
func (r *Ring) Fingerprint() string { return r.print }

// Wrap seals a small secret under the current key. What it is for (bound) must be given again to open it, so that a
// wrapped key copied to another row does not open there.
func (r *Ring) Wrap(plain []byte, bound string) string {
	sealed := r.keys[r.current].Seal(nil, nil, plain, []byte(r.current+"\x00"+bound))
	return "v1." + r.current + "." + base64.RawStdEncoding.EncodeToString(sealed)
}

// Unwrap opens what Wrap sealed, under whichever key of the ring it was.
func (r *Ring) Unwrap(wrapped, bound string) ([]byte, error) {
	id, b64, err := splitWrapped(wrapped)
	if err != nil {
		return nil, err
	}
	aead, ok := r.keys[id]
	if !ok {
		return nil, fault.New(fault.Internal, "secret.no_such_key", "id", id)
	}
	sealed, err := base64.RawStdEncoding.DecodeString(b64)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "secret.unreadable")
	}
	plain, err := aead.Open(nil, nil, sealed, []byte(id+"\x00"+bound))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "secret.unreadable")
	}
	return plain, nil
}

// splitWrapped takes the key id out of a wrapped value.
func splitWrapped(wrapped string) (id, b64 string, err error) {
	rest, ok := strings.CutPrefix(wrapped, "v1.")
	if ok {
		id, b64, ok = strings.Cut(rest, ".")
	}
	if !ok {
		return "", "", fault.New(fault.Internal, "secret.unreadable")
	}
	return id, b64, nil
}

// Blind is the keyed hash under which a value of a kind ("phone", "name") is found again. The value must be normalised
// (NormalPhone, NormalName), else two spellings are two values.
func (r *Ring) Blind(kind, normalised string) string {
	h := hmac.New(sha256.New, r.blind)
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(normalised))
	return hex.EncodeToString(h.Sum(nil))
}

// sealer is AES-256-GCM that puts a random nonce before each ciphertext.
func sealer(k []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	return aead, nil
}

func randomKey() []byte {
	k := make([]byte, keySize)
	_, _ = rand.Read(k) // never fails (crypto/rand)
	return k
}
